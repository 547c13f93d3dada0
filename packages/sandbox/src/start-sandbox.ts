import { createServer, type RequestListener, type Server } from 'node:http'
import { createInterposer } from './faults/create-interposer.ts'
import { createFaultControl, type FaultControl } from './faults/fault-control.ts'
import { createSwitches } from './http/create-switches.ts'
import { listen } from './http/listen.ts'
import { createHome } from './pages/home.ts'
import { createInteraction } from './pages/interaction.ts'
import { createDefaultClient, type SandboxClient } from './provider/clients.ts'
import { createAuthMethodCheck } from './provider/create-auth-method-check.ts'
import { createProvider, type ProviderSettings } from './provider/create-provider.ts'
import { InvalidSettingError, isPositiveInteger, setAccessTokenTtl } from './provider/set-access-token-ttl.ts'
import { createSigningKey, type SigningAlg } from './provider/signing-key.ts'
import { createStats, type SandboxStats } from './stats.ts'

export interface SandboxOptions {
  /** 0, the default, for any free one. */
  port?: number
  /** The address to listen on; 127.0.0.1 by default. */
  host?: string
  /** Lifetimes in seconds: an hour, 30 days and an hour by default. */
  accessTokenTtl?: number
  refreshTokenTtl?: number
  idTokenTtl?: number
  /** Whether each refresh gives a new refresh token; using an old one again then ends the family. On by default. */
  rotateRefreshTokens?: boolean
  /** Seconds during which a refresh token that was used still works; 0 by default. */
  reuseInterval?: number
  /** One client, `sandbox-client` with a secret of its own, by default. */
  clients?: readonly [SandboxClient, ...SandboxClient[]]
  /** RS256 by default. */
  signingAlg?: SigningAlg
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
  /** Of the tokens issued from now on. */
  setAccessTokenTtl(seconds: number): void
  /** Closes everything, requests that hang included; nothing happens the second time. */
  stop(): Promise<void>
}

/** A running provider. Throws PortTakenError, and InvalidSettingError for a lifetime that is none. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const settings = readSettings(options)
  const clients = options.clients ?? ([createDefaultClient()] as const)
  const key = createSigningKey(options.signingAlg ?? 'RS256')
  const faults = createFaultControl()
  const stats = createStats()

  // The issuer holds the port, so the provider can only be made once there is one.
  const server = createServer()
  const { port, url: issuer } = await listen(server, options.port ?? 0, options.host ?? '127.0.0.1')
  try {
    server.on('request', compose({ issuer, clients, key, settings, faults, stats }))
  } catch (error) {
    await stop(server, faults)
    throw error
  }

  return {
    issuer,
    port,
    client: clients[0],
    faults,
    stats,
    setAccessTokenTtl: (seconds) => setAccessTokenTtl(settings, seconds),
    stop: () => stop(server, faults),
  }
}

const day = 24 * 60 * 60

function readSettings(options: SandboxOptions): ProviderSettings {
  const { accessTokenTtl = 3600, refreshTokenTtl = 30 * day, idTokenTtl = 3600 } = options
  for (const [name, value] of Object.entries({ accessTokenTtl, refreshTokenTtl, idTokenTtl })) {
    if (!isPositiveInteger(value)) throw new InvalidSettingError(`"${name}" must be whole seconds, at least 1`)
  }
  const { rotateRefreshTokens = true, reuseInterval = 0 } = options
  return { accessTokenTtl, refreshTokenTtl, idTokenTtl, rotateRefreshTokens, reuseInterval }
}

/** The whole way of a request: the sandbox's own pages, what stands before the endpoints, and the endpoints. */
function compose(
  deps: Parameters<typeof createProvider>[0] & Parameters<typeof createInterposer>[0],
): RequestListener {
  const provider = createProvider(deps)
  provider.use(createHome(deps.issuer))
  provider.use(createSwitches(deps))
  provider.use(createInteraction(provider))
  provider.use(createInterposer(deps))
  provider.use(createAuthMethodCheck(deps.clients))
  provider.on('grant.error', (_ctx, error) => {
    if (error.error_detail === 'refresh token already used') deps.stats.refreshTokenReplays += 1
  })
  return provider.callback()
}

async function stop(server: Server, faults: FaultControl) {
  if (!server.listening) return
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeAllConnections()
  faults.clear()
  await closed
}
