import { Agent, buildConnector, request as undiciRequest } from 'undici'
import type { ProxyConfig } from '../../config/network-settings.ts'
import type { AddressKind } from './address-policy.ts'
import { isThisMachine } from './check-url.ts'
import type { ClientCertificate } from './client-certificate.ts'
import { createTunnels, createTunnelTo, type Tunnels } from './open-tunnel.ts'
import { isException } from './proxy.ts'
import type { TransportAnswer } from './read-answer.ts'
import { createCheckedLookup, type Lookup } from './resolve-checked.ts'

/** Sends a request without following redirects. */
export type Transport = (
  url: URL,
  request: {
    method: 'GET' | 'POST' | 'DELETE'
    headers: Record<string, string>
    body: string | undefined
    signal: AbortSignal
    clientCertificate?: ClientCertificate | undefined
  },
) => Promise<TransportAnswer>

export interface CheckedTransport {
  send: Transport
  /** Lets what is under way finish, then closes the connections. */
  close(): Promise<void>
}

interface Options {
  allowLoopback: boolean
  timeoutMs: number
  lookup: Lookup | undefined
  proxy: ProxyConfig | undefined
}

const maxHeaderBytes = 16 * 1024

/** A transport that looks at the address it is about to connect to, each time. */
export function createCheckedTransport(options: Options): CheckedTransport {
  const { timeoutMs, proxy } = options
  const tunnels = proxy && createTunnels(proxy, { timeoutMs, maxHeaderBytes })
  const agent = createAgent(options, tunnels)
  return {
    async send(url, request) {
      const { clientCertificate } = request
      if (!clientCertificate) return send(agent, url, request)
      // A connection of its own, which ends with the answer: what one client proved is never lent to another.
      const own = createAgent(options, tunnels, clientCertificate)
      request.signal.addEventListener('abort', () => void own.destroy(), { once: true })
      return send(own, url, request)
    },
    async close() {
      await agent.close()
      await tunnels?.close()
    },
  }
}

async function send(dispatcher: Agent, url: URL, request: Parameters<Transport>[1]): Promise<TransportAnswer> {
  const { method, headers, body, signal } = request
  // undici's request, unlike its fetch, follows no redirect and decompresses nothing.
  const answer = await undiciRequest(url, { dispatcher, method, headers, body: body ?? null, signal })
  const received = new Headers()
  for (const [name, value] of Object.entries(answer.headers)) {
    for (const one of [value ?? []].flat()) received.append(name, one)
  }
  return { status: answer.statusCode, headers: received, body: answer.body }
}

function createAgent(options: Options, tunnels: Tunnels | undefined, certificate?: ClientCertificate): Agent {
  const { allowLoopback, timeoutMs } = options
  const connectors = {
    'https:': createConnector(options, allowLoopback ? ['public', 'loopback'] : ['public'], tunnels, certificate),
    // Plain http never leaves the machine, whatever a name resolves to, and shows nobody a certificate.
    'http:': createConnector(options, allowLoopback && !certificate ? ['loopback'] : [], undefined),
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

function createConnector(
  { timeoutMs, lookup, proxy }: Options,
  allowed: readonly AddressKind[],
  tunnels: Tunnels | undefined,
  certificate?: ClientCertificate,
): buildConnector.connector {
  const checked = createCheckedLookup(lookup, allowed)
  const connect = buildConnector({
    lookup: checked.forSocket,
    timeout: timeoutMs,
    allowH2: false,
    // Whatever NODE_TLS_REJECT_UNAUTHORIZED says.
    rejectUnauthorized: true,
    ...(certificate && { key: certificate.key.reveal(), cert: certificate.certificate }),
  })
  const direct: buildConnector.connector = (target, callback) => {
    // A literal address is connected to without a lookup.
    const refusal = checked.findRefusal(target.hostname)
    if (refusal) callback(refusal, null)
    else connect(target, callback)
  }
  if (!tunnels || !proxy) return direct

  const tunnelTo = createTunnelTo(tunnels, createCheckedLookup(lookup, ['public']), proxy.names)
  return function connectByProxy(target, callback) {
    const { hostname, port } = target
    // What is on this machine is not what the proxy finds on its own.
    if (isThisMachine(hostname) || isException(proxy.exceptions, hostname, port)) return direct(target, callback)
    tunnelTo(hostname, Number(port || 443)).then(
      // The certificate is checked against the name, whatever the proxy was asked for.
      (httpSocket) => connect({ ...target, httpSocket }, callback),
      (error: Error) => callback(error, null),
    )
  }
}
