import type { ChildProcess } from 'node:child_process'
import type { Writable } from 'node:stream'
import { AuthconnError } from '@authconn/sdk'
import { createMask } from './mask-secrets.ts'
import type { FromHost, ToHost } from './protocol.ts'
import { createTokenDesk, type TokenDeskOptions } from './token-desk.ts'

export interface FunctionRun extends Omit<TokenDeskOptions, 'mask'> {
  host: ChildProcess
  /** URL of the module. */
  module: string
  input: unknown
  /** Seconds. */
  timeout: number
  /** What the function prints. */
  output: Writable
}

/** Milliseconds in which a process that has said its result has to end. */
const farewell = 5000

/**
 * Runs a module's default export in the process that was started for it. Resolves to what it returned, as JSON has it.
 * Throws function_failed, function_timeout, what the vault said to it where it let that through, or the signal's reason.
 */
export async function runFunction(run: FunctionRun): Promise<unknown> {
  const { host, signal, output, timeout } = run
  const mask = createMask()
  const answerToken = createTokenDesk({ ...run, mask })
  for (const stream of [host.stdout, host.stderr]) {
    const shown = mask.stream((text) => output.write(text))
    stream?.on('data', shown.write).on('end', shown.end)
  }

  let outcome: { value: unknown } | { error: unknown } | undefined
  /** The first one counts. */
  const decide = (decided: NonNullable<typeof outcome>, patience = 0) => {
    outcome ??= decided
    setTimeout(() => host.kill('SIGKILL'), patience).unref()
  }
  const late = setTimeout(() => {
    const detail = `It was stopped after ${timeout} s without a result.`
    decide({ error: new AuthconnError('function_timeout', detail) })
  }, timeout * 1000)
  const stop = () => decide({ error: signal.reason })
  signal.addEventListener('abort', stop)

  const hear = async (message: FromHost) => {
    switch (message.kind) {
      case 'get_token':
        tell(host, await answerToken(message))
        break
      case 'result':
        decide({ value: JSON.parse(mask.apply(message.json)) }, farewell)
        break
      case 'failed':
        decide({ error: failure(mask.apply(message.words)) }, farewell)
        break
      case 'failed_by_vault': {
        const { code, detail, ...rest } = message.error
        decide({ error: new AuthconnError(code, mask.apply(detail), rest as object) }, farewell)
      }
    }
  }
  // A function can say anything by this channel; what makes no sense ends it.
  host.on('message', (message: FromHost) => {
    hear(message).catch(() => decide({ error: failure('What it said to authconn makes no sense.') }))
  })
  tell(host, { kind: 'run', module: run.module, input: run.input })

  try {
    const ended = await closing(host)
    outcome ??= { error: failure(ended) }
  } finally {
    clearTimeout(late)
    signal.removeEventListener('abort', stop)
  }
  if ('error' in outcome) throw outcome.error
  return outcome.value
}

/** A process that is gone is told nothing; that it is gone is noticed elsewhere. */
function tell(host: ChildProcess, message: ToHost): void {
  if (host.connected) host.send(message, () => {})
}

/** How a process ended that said nothing at its end. */
function closing(host: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    host.once('error', reject)
    host.once('close', (code, signal) => {
      if (signal !== null) resolve(`Its process was ended by ${signal}.`)
      else if (code === 0 || code === 13)
        resolve('It came to its end without a result: it waits for what never comes.')
      else resolve(`Its process ended with exit code ${code} before it returned.`)
    })
  })
}

function failure(words: string): AuthconnError {
  if (!words.includes('ERR_ACCESS_DENIED')) return new AuthconnError('function_failed', words)
  return new AuthconnError('function_failed', words, {
    hint: 'A function may read its package and nothing else, and start no program. --allow-read PATH and --allow-write PATH give it more.',
  })
}
