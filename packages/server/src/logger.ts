import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino'
import type { LogLevel } from './config/load-config.ts'

export type { Logger }

/**
 * Lines of JSON. Secrets print as "[secret]" by their type; errors without what they drag along.
 */
export function createLogger(level: LogLevel, output: DestinationStream, moreFields?: () => object): Logger {
  const options: LoggerOptions = {
    level,
    ...(moreFields ? { mixin: moreFields } : {}),
    base: null,
    timestamp: createTimestamp(),
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: describeError, error: describeError, req: () => undefined, res: () => undefined },
  }
  return pino(options, output)
}

/** Of a program that has a few things to say and ends: each line is written before it goes on. */
export function commandOutput(descriptor: number): DestinationStream {
  const output = pino.destination({ dest: descriptor, sync: true })
  // Nor may a full disk or a closed terminal end it. pino itself takes a broken pipe as the end of logging.
  output.on('error', () => undefined)
  return output
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
