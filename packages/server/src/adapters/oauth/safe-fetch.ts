import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, buildConnector, request as undiciRequest } from 'undici'
import { ProviderFailure } from '../../core/oauth-port.ts'
import { judgeAddress } from './address-policy.ts'
import { findUrlProblem, showUrl } from './check-url.ts'
import { readAnswer, type TransportAnswer, toFailure } from './read-answer.ts'

interface SafeRequest {
  method?: 'GET' | 'POST'
  headers?: Record<string, string>
  body?: string
  /** Bytes; what is longer is refused. By default what createSafeFetch was given. */
  maxBodyBytes?: number
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

/** Sends a request without following redirects. The default one checks addresses; another is for tests. */
type Transport = (
  url: URL,
  request: {
    method: 'GET' | 'POST'
    headers: Record<string, string>
    body: string | undefined
    signal: AbortSignal
  },
) => Promise<TransportAnswer>

type Lookup = (hostname: string, callback: (error: Error | null, addresses: LookupAddress[]) => void) => void

export interface SafeFetchOptions {
  /** Allows http and https to loopback addresses, and nothing else; for development. */
  allowLoopback: boolean
  /** Milliseconds for everything: resolving, connecting, headers and body. */
  timeoutMs?: number
  /** Bytes of an answer's body. */
  maxBodyBytes?: number
  /** Shown to providers as authconn/VERSION. */
  version?: string
  transport?: Transport
  lookup?: Lookup
}

const maxHeaderBytes = 16 * 1024

/** The only door out of the vault: every outbound call goes through what this returns. */
export function createSafeFetch(options: SafeFetchOptions): SafeFetch {
  const { allowLoopback, timeoutMs = 10_000, maxBodyBytes = 1024 * 1024, version } = options
  const agent = createAgent(allowLoopback, timeoutMs, options.lookup ?? lookupAll)
  const transport = options.transport ?? createTransport(agent)
  const userAgent = version ? `authconn/${version}` : 'authconn'

  async function safeFetch(target: string | URL, wanted: SafeRequest = {}): Promise<Response> {
    const url = new URL(target)
    const method = wanted.method ?? 'GET'
    const what = `${method} ${showUrl(url)}`
    const problem = findUrlProblem(url, allowLoopback)
    if (problem) throw new ProviderFailure('address', `${showUrl(url)} ${problem.reason}`)

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

  return Object.assign(safeFetch, { allowLoopback, close: () => agent.close() })
}

function createTransport(dispatcher: Agent): Transport {
  return async function transport(url, { method, headers, body, signal }) {
    // undici's request, unlike its fetch, follows no redirect and decompresses nothing.
    const answer = await undiciRequest(url, { dispatcher, method, headers, body: body ?? null, signal })
    const received = new Headers()
    for (const [name, value] of Object.entries(answer.headers)) {
      for (const one of [value ?? []].flat()) received.append(name, one)
    }
    return { status: answer.statusCode, headers: received, body: answer.body }
  }
}

function createAgent(allowLoopback: boolean, timeoutMs: number, lookup: Lookup): Agent {
  const connectors = {
    'https:': createConnector(lookup, timeoutMs, allowLoopback ? ['public', 'loopback'] : ['public']),
    // Plain http never leaves the machine, whatever a name resolves to.
    'http:': createConnector(lookup, timeoutMs, allowLoopback ? ['loopback'] : []),
  }
  return new Agent({
    connect: (target, callback) => connectors[target.protocol === 'http:' ? 'http:' : 'https:'](target, callback),
    // A request sent on a connection that the provider is just closing has an unknown outcome, which a rotating
    // refresh token does not forgive. Servers keep idle connections longer than this.
    keepAliveTimeout: 1000,
    keepAliveMaxTimeout: 1000,
    connections: 64,
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    allowH2: false,
  })
}

function createConnector(lookup: Lookup, timeout: number, allowed: readonly string[]): buildConnector.connector {
  const connect = buildConnector({
    lookup: createCheckedLookup(lookup, allowed),
    timeout,
    allowH2: false,
    // Whatever NODE_TLS_REJECT_UNAUTHORIZED says.
    rejectUnauthorized: true,
  })
  return function checkedConnect(target, callback) {
    // A literal address is connected to without a lookup.
    const literal = target.hostname.replace(/^\[|\]$/g, '')
    if (isIP(literal) && !allowed.includes(judgeAddress(literal))) return callback(refusal(target.hostname), null)
    connect(target, callback)
  }
}

/**
 * Resolves a name once, and hands the very addresses that were checked to the connection: a name that resolves
 * differently the next time (DNS rebinding) gains nothing. One refused address spoils them all.
 */
function createCheckedLookup(lookup: Lookup, allowed: readonly string[]): LookupFunction {
  return function checkedLookup(hostname, options, callback) {
    lookup(hostname, (error, addresses) => {
      if (error) return callback(error, [])
      const [first] = addresses
      if (!first || addresses.some(({ address }) => !allowed.includes(judgeAddress(address)))) {
        return callback(refusal(hostname), [])
      }
      if (options.all) callback(null, addresses)
      else callback(null, first.address, first.family)
    })
  }
}

function lookupAll(hostname: string, callback: Parameters<Lookup>[1]): void {
  systemLookup(hostname, { all: true }, callback)
}

function refusal(hostname: string): ProviderFailure {
  return new ProviderFailure('address', `${hostname} is at an address that the vault does not call`)
}
