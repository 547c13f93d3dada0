import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, buildConnector, request as undiciRequest } from 'undici'
import { ProviderFailure } from '../../core/oauth-port.ts'
import { judgeAddress } from './address-policy.ts'
import type { TransportAnswer } from './read-answer.ts'

/** Sends a request without following redirects. */
export type Transport = (
  url: URL,
  request: {
    method: 'GET' | 'POST'
    headers: Record<string, string>
    body: string | undefined
    signal: AbortSignal
  },
) => Promise<TransportAnswer>

export type Lookup = (
  hostname: string,
  callback: (error: Error | null, addresses: LookupAddress[]) => void,
) => void

export interface CheckedTransport {
  send: Transport
  /** Lets what is under way finish, then closes the connections. */
  close(): Promise<void>
}

const maxHeaderBytes = 16 * 1024

/** A transport that looks at the address it is about to connect to, each time. */
export function createCheckedTransport(options: {
  allowLoopback: boolean
  timeoutMs: number
  lookup: Lookup | undefined
}): CheckedTransport {
  const agent = createAgent(options.allowLoopback, options.timeoutMs, options.lookup ?? lookupAll)
  return { send: createSend(agent), close: () => agent.close() }
}

function createSend(dispatcher: Agent): Transport {
  return async function send(url, { method, headers, body, signal }) {
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
