import { ProviderFailure } from '../../core/oauth-port.ts'
import { findUrlProblem, showUrl } from './check-url.ts'
import type { CheckedTransport, Lookup, Transport } from './checked-transport.ts'
import { readAnswer, toFailure } from './read-answer.ts'

interface SafeRequest {
  method?: 'GET' | 'POST'
  headers?: Record<string, string>
  body?: string
  /** Bytes; what is longer is refused. By default what createSafeFetch was given. */
  maxBodyBytes?: number
  /** Milliseconds for everything; by default what createSafeFetch was given, and never more than its longest. */
  timeoutMs?: number
}

/**
 * Sends one request and resolves to its answer, read to the end, whatever its status below 300 or above 399.
 * Throws ProviderFailure: `address` when the target is not one to call, `passing` when there is no answer in time,
 * `unintelligible` when the answer is a redirect, too large, compressed or not HTTP.
 */
export interface SafeFetch {
  (url: string | URL, request?: SafeRequest): Promise<Response>
  readonly allowLoopback: boolean
  /** Lets what is under way finish, then closes the connections. */
  close(): Promise<void>
}

export interface SafeFetchOptions {
  /** Allows http and https to loopback addresses, and nothing else; for development. */
  allowLoopback: boolean
  /** Milliseconds for everything: resolving, connecting, headers and body. */
  timeoutMs?: number
  /** Milliseconds that a call may ask for instead. */
  longestTimeoutMs?: number
  /** Bytes of an answer's body. */
  maxBodyBytes?: number
  /** Shown to providers as authconn/VERSION. */
  version?: string
  transport?: Transport
  lookup?: Lookup
}

/** The only door out of the vault: every outbound call goes through what this returns. */
export function createSafeFetch(options: SafeFetchOptions): SafeFetch {
  const { allowLoopback, timeoutMs: usualTimeoutMs = 10_000, maxBodyBytes = 1024 * 1024, version } = options
  const longestTimeoutMs = Math.max(usualTimeoutMs, options.longestTimeoutMs ?? 0)
  let opened: Promise<CheckedTransport> | undefined
  const userAgent = version ? `authconn/${version}` : 'authconn'

  /** The HTTP client is the largest thing in memory after the database's: it loads with the first call. */
  async function openTransport(): Promise<Transport> {
    if (options.transport) return options.transport
    opened ??= import('./checked-transport.ts').then(({ createCheckedTransport }) =>
      createCheckedTransport({ allowLoopback, timeoutMs: longestTimeoutMs, lookup: options.lookup }),
    )
    return (await opened).send
  }

  async function safeFetch(target: string | URL, wanted: SafeRequest = {}): Promise<Response> {
    const url = new URL(target)
    const method = wanted.method ?? 'GET'
    const what = `${method} ${showUrl(url)}`
    const problem = findUrlProblem(url, allowLoopback)
    if (problem) throw new ProviderFailure('address', `${showUrl(url)} ${problem.reason}`)

    const transport = await openTransport()
    const timeoutMs = Math.min(wanted.timeoutMs ?? usualTimeoutMs, longestTimeoutMs)
    const deadline = AbortSignal.timeout(timeoutMs)
    const done = new AbortController()
    try {
      const answer = await transport(url, {
        method,
        // A compressed answer could be small on the wire and huge in memory.
        headers: { ...wanted.headers, 'accept-encoding': 'identity', 'user-agent': userAgent },
        body: wanted.body,
        signal: AbortSignal.any([deadline, done.signal]),
      })
      return await readAnswer(answer, wanted.maxBodyBytes ?? maxBodyBytes, what)
    } catch (error) {
      throw toFailure(error, what, deadline.aborted ? timeoutMs : undefined)
    } finally {
      // Drops the connection of an answer that was refused before its end.
      done.abort()
    }
  }

  return Object.assign(safeFetch, { allowLoopback, close: async () => (await opened)?.close() })
}
