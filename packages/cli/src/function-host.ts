/*
 * The process of a function: authconn starts it with as few permissions as a process can have, and it gets tokens from
 * there alone. It imports nothing, so that it need be permitted to read no other file.
 */
import type { FromHost, ToHost, VaultError } from './functions/protocol.ts'

class AuthconnError extends Error {
  constructor(fields: VaultError) {
    super(fields.detail)
    Object.assign(this, { name: 'AuthconnError', ...fields })
  }
}

interface TokenOptions {
  signal?: AbortSignal
}

const waiting = new Map<number, { resolve: (token: object) => void; reject: (reason: unknown) => void }>()
let asked = 0

async function getConnectionToken(name: unknown, { signal, ...options }: TokenOptions = {}): Promise<object> {
  signal?.throwIfAborted()
  const id = asked++
  const answer = Promise.withResolvers<object>()
  const leave = () => answer.reject(signal?.reason)
  signal?.addEventListener('abort', leave)
  waiting.set(id, answer)
  // While an answer is awaited, the process must not end for want of anything else to do.
  process.channel?.ref()
  send({ kind: 'get_token', id, name, options })
  try {
    return await answer.promise
  } finally {
    signal?.removeEventListener('abort', leave)
    waiting.delete(id)
    if (waiting.size === 0) process.channel?.unref()
  }
}

const api = Object.freeze({ getConnectionToken })
Object.assign(globalThis, { authconn: api, tailor: Object.freeze({ authconnection: api }) })

process.on('message', (message: ToHost) => {
  switch (message.kind) {
    case 'run':
      process.channel?.unref()
      run(message.module, message.input).catch(fail)
      break
    case 'token':
      waiting.get(message.id)?.resolve(message.token)
      break
    case 'refused':
      waiting.get(message.id)?.reject(new AuthconnError(message.error))
  }
})
process.on('uncaughtException', fail)
// The command is gone, and nobody is left to end this.
process.on('disconnect', () => process.exit(1))

async function run(module: string, input: unknown): Promise<void> {
  const loaded: { default?: unknown } = await import(module)
  if (typeof loaded.default !== 'function') throw new TypeError('its default export is not a function')
  const result: unknown = await loaded.default(input)
  const json = JSON.stringify(result ?? null)
  if (json === undefined) throw new TypeError(`what it returned has no form in JSON: ${typeof result}`)
  finish({ kind: 'result', json })
}

function fail(thrown: unknown): void {
  if (thrown instanceof AuthconnError) {
    finish({ kind: 'failed_by_vault', error: { ...(thrown as AuthconnError & VaultError) } })
  } else {
    finish({ kind: 'failed', words: describe(thrown) })
  }
}

/** The error and where in the function's own files it comes from. */
function describe(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `It threw ${String(thrown)}`
  const own = (line: string) => /^\s+at /.test(line) && !/\bnode:|function-host/.test(line)
  const places = (thrown.stack ?? '').split('\n').filter(own)
  const cause = thrown.cause instanceof Error ? [`Caused by ${headline(thrown.cause)}`] : []
  return [headline(thrown), ...places, ...cause].join('\n')
}

function headline(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? ` [${error.code}]` : ''
  return `${error.name}${code}: ${error.message}`
}

function send(message: FromHost): void {
  process.send?.(message)
}

/** Ends the process once all that it has printed and said is on its way, whatever else still goes on in it. */
function finish(message: FromHost): void {
  process.send?.(message, () =>
    process.stdout.write('', () =>
      process.stderr.write('', () => process.exit(message.kind === 'result' ? 0 : 1)),
    ),
  )
}
