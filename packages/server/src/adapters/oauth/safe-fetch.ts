import type { ProxyConfig } from '../../config/network-settings.ts'
import { ProviderFailure } from '../../core/oauth-port.ts'
import { type CallPolicy, findUrlProblem, showUrl, type UrlProblem } from './check-url.ts'
import type { CheckedTransport, Transport } from './checked-transport.ts'
import type { ClientCertificate } from './client-certificate.ts'
import { readAnswer, toFailure } from './read-answer.ts'
import type { Lookup } from './resolve-checked.ts'

interface SafeRequest {
  method?: 'GET' | 'POST' | 'DELETE'
  headers?: Record<string, string>
  body?: string
  /** Bytes; what is longer is refused. By default what createSafeFetch was given. */
  maxBodyBytes?: number
  /** Milliseconds for everything; by default what createSafeFetch was given, and never more than its longest. */
  timeoutMs?: number
  /** Shown to the provider in TLS, over a connection of its own. */
  clientCertificate?: ClientCertificate
}

/**
 * Sends one request and resolves to its answer, read to the end, whatever its status below 300 or above 399.
 * Throws ProviderFailure: `address` or `host` when the target is not one to call, `passing` when there is no answer in time,
 * `unintelligible` when the answer is a redirect, too large, compressed or not HTTP.
 */
export interface SafeFetch {
  (url: string | URL, request?: SafeRequest): Promise<Response>
  readonly policy: CallPolicy
  /** Lets what is under way finish, then closes the connections. */
  close(): Promise<void>
}

export interface SafeFetchOptions extends CallPolicy {
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
  /** By which providers are reached; undefined: directly. */
  proxy?: ProxyConfig | undefined
}

/** The only door out of the vault: every outbound call goes through what this returns. */
export function createSafeFetch(options: SafeFetchOptions): SafeFetch {
  const { allowLoopback, allowedHosts, proxy, lookup, version } = options
  const { timeoutMs: usualTimeoutMs = 10_000, maxBodyBytes = 1024 * 1024 } = options
  const policy: CallPolicy = { allowLoopback, allowedHosts }
  const longestTimeoutMs = Math.max(usualTimeoutMs, options.longestTimeoutMs ?? 0)
  let opened: Promise<CheckedTransport> | undefined
  const userAgent = version ? `authconn/${version}` : 'authconn'

  /** The HTTP client is the largest thing in memory after the database's: it loads with the first call. */
  async function openTransport(): Promise<Transport> {
    if (options.transport) return options.transport
    opened ??= import('./checked-transport.ts').then(({ createCheckedTransport }) =>
      createCheckedTransport({ allowLoopback, timeoutMs: longestTimeoutMs, lookup, proxy }),
    )
    return (await opened).send
  }

  async function safeFetch(target: string | URL, wanted: SafeRequest = {}): Promise<Response> {
    const url = new URL(target)
    const method = wanted.method ?? 'GET'
    const what = `${method} ${showUrl(url)}`
    const problem = findUrlProblem(url, policy)
    if (problem) throw refusalOf(url, problem)

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
        clientCertificate: wanted.clientCertificate,
      })
      return await readAnswer(answer, wanted.maxBodyBytes ?? maxBodyBytes, what)
    } catch (error) {
      throw toFailure(error, what, deadline.aborted ? timeoutMs : undefined)
    } finally {
      // Drops the connection of an answer that was refused before its end.
      done.abort()
    }
  }

  return Object.assign(safeFetch, { policy, close: async () => (await opened)?.close() })
}

/** A URL that is not to be called, as the failure of a call. */
export function refusalOf(url: URL, { kind, reason }: UrlProblem): ProviderFailure {
  return new ProviderFailure(kind === 'host' ? 'host' : 'address', `${showUrl(url)} ${reason}`)
}
