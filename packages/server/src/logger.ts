import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino'
import type { LogLevel } from './config/load-config.ts'

export type { Logger }

/**
 * Lines of JSON on standard output, or another descriptor. Secrets print as "[secret]" by their type; errors without what
 * they drag along.
 */
export function createLogger(level: LogLevel, moreFields?: () => object, descriptor = 1): Logger {
  const options: LoggerOptions = {
    level,
    ...(moreFields ? { mixin: moreFields } : {}),
    base: null,
    timestamp: createTimestamp(),
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: describeError, error: describeError, req: () => undefined, res: () => undefined },
  }
  return pino(options, writeTogether(descriptor))
}

/**
 * An output that gets the lines of one turn of the event loop in one piece: a line for each token of a batch cost
 * more than all else that is done for it in this process. Nothing waits longer than that, nor is lost at an exit.
 */
function writeTogether(descriptor: number): DestinationStream {
  // Synchronous: what an asynchronous one still holds at the exit it tries to write for ever when the reader has gone,
  // as `tee` has after Ctrl-C. pino itself takes a broken pipe as the end of logging.
  const output = pino.destination({ dest: descriptor, sync: true, maxLength: 1024 * 1024 })
  // Nor may a full disk or a closed terminal end the vault. What cannot be written is dropped.
  output.on('error', () => undefined)
  let lines = ''
  const flush = () => {
    if (lines === '') return
    const together = lines
    lines = ''
    output.write(together)
  }
  process.on('exit', flush)
  return {
    write(line) {
      if (lines === '') setImmediate(flush)
      lines += line
    },
  }
}

/** The time as pino writes it, put into words once for all lines of a millisecond. */
function createTimestamp(): () => string {
  let last = 0
  let text = ''
  return () => {
    const now = Date.now()
    if (now !== last) {
      last = now
      text = `,"time":"${new Date(now).toISOString()}"`
    }
    return text
  }
}

/**
 * An allowlist: name, code, message, stack and causes. Errors of drivers and libraries carry rows, parameters,
 * responses and bodies in further properties, and those hold what must not be logged.
 */
export function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return { message: typeof error === 'string' ? error : 'not an Error' }
  return {
    name: error.name,
    ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}),
    ...('kind' in error && typeof error.kind === 'string' ? { kind: error.kind } : {}),
    message: error.message,
    // Frames alone: a message of several lines begins the stack too.
    stack: error.stack
      ?.split('\n')
      .filter((line) => /^ +at /.test(line))
      .slice(0, 11)
      .join('\n'),
    ...(error.cause !== undefined && depth < 4 ? { cause: describeError(error.cause, depth + 1) } : {}),
  }
}
