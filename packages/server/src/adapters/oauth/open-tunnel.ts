import type { Socket } from 'node:net'
import { buildConnector, type Dispatcher, Pool } from 'undici'
import type { ProxyConfig } from '../../config/network-settings.ts'
import { ProviderFailure } from '../../core/oauth-port.ts'
import type { CheckedLookup } from './resolve-checked.ts'

export interface Tunnels {
  /** A connection to that host and port by way of the proxy. Rejects with ProviderFailure `passing`. */
  open(host: string, port: number): Promise<Socket>
  close(): Promise<void>
}

/** Asks the proxy for tunnels (RFC 9110 section 9.3.6). What goes through them is encrypted for whom it is for. */
export function createTunnels(
  { url }: Pick<ProxyConfig, 'url'>,
  limits: { timeoutMs: number; maxHeaderBytes: number },
): Tunnels {
  const proxy = new URL(url.reveal())
  const authorization = credentialsOf(proxy)
  const pool = new Pool(proxy.origin, {
    // The operator names the proxy, so it may be at any address.
    connect: buildConnector({ timeout: limits.timeoutMs, allowH2: false, rejectUnauthorized: true }),
    headersTimeout: limits.timeoutMs,
    maxHeaderSize: limits.maxHeaderBytes,
    connections: 64,
  })

  return {
    async open(host, port) {
      const target = `${host.includes(':') ? `[${host}]` : host}:${port}`
      const { statusCode, socket } = await ask(target)
      if (statusCode >= 200 && statusCode < 300) return socket
      socket.destroy()
      throw failure(statusCode === 407 ? 'wants another user name and password' : `answered ${statusCode}`)
    },
    close: () => pool.close(),
  }

  async function ask(target: string): Promise<{ statusCode: number; socket: Socket }> {
    try {
      const answer: Dispatcher.ConnectData = await pool.connect({
        path: target,
        headers: { host: target, ...authorization },
        signal: AbortSignal.timeout(limits.timeoutMs),
      })
      // It is one: the type says Duplex, since undici can be given other connectors.
      const socket = answer.socket as Socket
      socket.on('error', () => undefined)
      return { statusCode: answer.statusCode, socket }
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'none'
      throw failure(
        `could not be reached or gave no answer (${/^[A-Z0-9_]{2,60}$/.test(code) ? code : 'timeout'})`,
      )
    }
  }

  /** The proxy's URL holds a password; its host does not. */
  function failure(what: string): ProviderFailure {
    return new ProviderFailure('passing', `The proxy ${proxy.host} ${what}`)
  }
}

/** A tunnel to a host, by the addresses that its name was found to have, or by its name where the proxy resolves it. */
export function createTunnelTo(tunnels: Tunnels, checked: CheckedLookup, names: ProxyConfig['names']) {
  return async function tunnelTo(hostname: string, port: number): Promise<Socket> {
    const refusal = checked.findRefusal(hostname)
    if (refusal) throw refusal
    const hosts = names === 'proxy' ? [hostname.replace(/^\[|\]$/g, '')] : await checked.all(hostname)
    let failure: unknown
    for (const host of hosts.slice(0, mostTried)) {
      try {
        return await tunnels.open(host, port)
      } catch (error) {
        failure ??= error
      }
    }
    throw failure
  }
}

/** Of the addresses of one name. */
const mostTried = 3

function credentialsOf({ username, password }: URL): Record<string, string> {
  if (!username) return {}
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` }
}
