import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createFamilies, type Families } from './families.ts'
import { createInterposer } from './faults/create-interposer.ts'
import { createFaultControl, type FaultControl } from './faults/fault-control.ts'
import { createSwitches } from './http/create-switches.ts'
import { listen } from './http/listen.ts'
import { createHome } from './pages/home.ts'
import { createInteraction } from './pages/interaction.ts'
import { announceRefreshTokenTtl } from './provider/announce-refresh-token-ttl.ts'
import { createDefaultClient, type SandboxClient } from './provider/clients.ts'
import { createAuthMethodCheck } from './provider/create-auth-method-check.ts'
import { createDevicePacing } from './provider/create-device-pacing.ts'
import { createJwtBearer } from './provider/create-jwt-bearer.ts'
import { createMint, type Mint } from './provider/create-mint.ts'
import { createProvider } from './provider/create-provider.ts'
import { observeRefreshes } from './provider/observe-refreshes.ts'
import { createSigningKey, type SigningAlg } from './provider/signing-key.ts'
import { changeSettings, createSettings, type SandboxSettings } from './settings.ts'
import { createStatsKeeper, type SandboxStats } from './stats.ts'

export interface SandboxOptions extends Partial<SandboxSettings> {
  /** 0, the default, for any free one. */
  port?: number
  /** The address to listen on; 127.0.0.1 by default. */
  host?: string
  /** One client, `sandbox-client` with a secret of its own, by default. */
  clients?: readonly [SandboxClient, ...SandboxClient[]]
  /** RS256 by default. ES256 signs faster, for tests that refresh much with `openid`. */
  signingAlg?: SigningAlg
  /** Whether authorization requests must be pushed (RFC 9126). */
  requirePushedAuthorizationRequests?: boolean
  /** With it, clients that authenticate by a certificate (RFC 8705) are served over TLS on a port of their own. */
  tls?: {
    key: string
    cert: string
    /** Who vouches for the certificates of clients with tls_client_auth. */
    ca: string
  }
}

export interface Sandbox {
  issuer: string
  port: number
  /** The first client. */
  client: SandboxClient
  /** Makes it fail on purpose. */
  faults: FaultControl
  /** Live counters. */
  stats: Readonly<SandboxStats>
  resetStats(): void
  /** What became of the tokens. */
  families: Families
  /** As they are now. */
  settings: Readonly<SandboxSettings>
  /** Changes some settings from now on, or throws InvalidSettingError and changes none. */
  changeSettings(changes: Partial<SandboxSettings>): void
  /** The same for the one that is changed most. */
  setAccessTokenTtl(seconds: number): void
  /** Tokens as from the code flow, without a browser. Throws InvalidMintError. */
  mint: Mint
  /** Closes everything, requests that hang included; nothing happens the second time. */
  stop(): Promise<void>
}

/** A running provider. Throws PortTakenError, and InvalidSettingError for a setting that has no meaning. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const settings = createSettings(options)
  const clients = options.clients ?? ([createDefaultClient()] as const)
  const key = createSigningKey(options.signingAlg ?? 'RS256')
  const faults = createFaultControl()
  const stats = createStatsKeeper()
  const families = createFamilies()

  // The issuer holds the port, so the provider can only be made once there is one.
  const server = createServer()
  const tlsServer =
    options.tls && createTlsServer({ ...options.tls, requestCert: true, rejectUnauthorized: false })
  const servers = [server, ...(tlsServer ? [tlsServer] : [])]
  const host = options.host ?? '127.0.0.1'
  const { port, url: issuer } = await listen(server, options.port ?? 0, host)
  try {
    const tlsUrl = tlsServer && (await listen(tlsServer, 0, host)).url.replace('http:', 'https:')
    const requirePushed = options.requirePushedAuthorizationRequests ?? false
    const { mint, handle } = compose({
      issuer,
      clients,
      key,
      settings,
      faults,
      stats,
      families,
      requirePushed,
      tlsUrl,
    })
    for (const each of servers) each.on('request', handle)
    return {
      issuer,
      port,
      client: clients[0],
      faults,
      stats: stats.stats,
      resetStats: stats.reset,
      families,
      settings,
      changeSettings: (changes) => changeSettings(settings, changes),
      setAccessTokenTtl: (accessTokenTtl) => changeSettings(settings, { accessTokenTtl }),
      mint,
      stop: () => stop(servers, faults),
    }
  } catch (error) {
    await stop(servers, faults)
    throw error
  }
}

/** The whole way of a request: the sandbox's own pages, what stands before the endpoints, and the endpoints. */
function compose(
  deps: Parameters<typeof createProvider>[0] &
    Parameters<typeof createInterposer>[0] & { clients: readonly [SandboxClient, ...SandboxClient[]] },
): { mint: Mint; handle: RequestListener } {
  const { issuer, clients, settings, families, stats } = deps
  const provider = createProvider(deps)
  const mint = createMint({ provider, clientId: clients[0].client_id, settings })

  provider.use(createHome(issuer))
  provider.use(createSwitches({ ...deps, mint }))
  provider.use(createInteraction(provider))
  provider.use(createInterposer(deps))
  provider.use(createJwtBearer({ provider, issuer, clients, mint }))
  provider.use(createDevicePacing({ settings, stats: stats.stats }))
  provider.use(createAuthMethodCheck(clients))
  observeRefreshes(provider, { families, stats: stats.stats })
  announceRefreshTokenTtl(provider, settings)
  return { mint, handle: provider.callback() }
}

async function stop(servers: readonly Server[], faults: FaultControl) {
  const closed = servers
    .filter((server) => server.listening)
    .map((server) => {
      const end = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      return end
    })
  faults.clear()
  await Promise.all(closed)
}
