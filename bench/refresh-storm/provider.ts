import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type {
  Family,
  Fault,
  MintedTokens,
  SandboxSettings,
  SandboxStats,
} from '../../packages/sandbox/src/index.ts'
import { freePort } from '../../packages/server/test/support/free-port.ts'
import { startProgram } from '../support/program.ts'

export interface Provider {
  issuer: string
  clientId: string
  clientSecret: string
  /** As many families of tokens, as from the code flow. */
  mint(count: number): Promise<MintedTokens[]>
  /** What became of all families, by their ids. */
  families(): Promise<Map<string, Family>>
  stats(): Promise<SandboxStats>
  resetStats(): Promise<void>
  change(settings: Partial<SandboxSettings>): Promise<void>
  /** Makes the token endpoint fail until it is told otherwise; null ends that. */
  fail(fault: Fault | null): Promise<void>
  /** Whether an access token is good (RFC 7662). */
  accepts(accessToken: string): Promise<boolean>
  stop(): Promise<void>
}

/** Milliseconds and seconds, as the sandbox names them. */
export type ProviderPlan = Partial<SandboxSettings>

const program = fileURLToPath(new URL('../../packages/sandbox/src/main.ts', import.meta.url))
const mostMinted = 1000

/** Between two requests the provider would close the connection, sometimes just when the second is sent. */
const oneRequest = { connection: 'close' }

/**
 * Starts the sandbox as a process of its own, so that it shares no event loop with those who call the vaults. It rotates
 * refresh tokens, and ends a family of which a used one comes back.
 */
export async function startProvider(plan: ProviderPlan = {}): Promise<Provider> {
  const clientId = 'storm'
  const clientSecret = randomBytes(24).toString('hex')
  const port = await freePort()
  const args = ['--port', String(port), '--client-id', clientId, '--client-secret', clientSecret]
  const running = await startProgram([program, ...args], () => ({}), {
    port,
    readyPath: '/',
    exitWithParent: true,
  })
  const issuer = running.url
  const authorization = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`

  async function call<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${issuer}/sandbox/${path}`, {
      method,
      headers: oneRequest,
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path} of the provider: ${response.status} ${text}`)
    return JSON.parse(text)
  }

  const provider: Provider = {
    issuer,
    clientId,
    clientSecret,
    async mint(count) {
      const minted: MintedTokens[] = []
      while (minted.length < count) {
        const next = { count: Math.min(mostMinted, count - minted.length) }
        minted.push(...(await call<{ tokens: MintedTokens[] }>('POST', 'tokens', next)).tokens)
      }
      return minted
    },
    async families() {
      const { families } = await call<{ families: Family[] }>('GET', 'families')
      return new Map(families.map((family) => [family.family, family]))
    },
    stats: () => call('GET', 'stats'),
    resetStats: () => call('POST', 'stats/reset', {}),
    change: (settings) => call('POST', 'settings', settings),
    fail: (fault) =>
      fault ? call('POST', 'faults', { endpoint: 'token', ...fault }) : call('DELETE', 'faults?endpoint=token'),
    async accepts(accessToken) {
      const response = await fetch(`${issuer}/introspect`, {
        method: 'POST',
        headers: { ...oneRequest, authorization },
        body: new URLSearchParams({ token: accessToken }),
      })
      return ((await response.json()) as { active?: boolean }).active === true
    },
    stop: () => running.stop(),
  }
  try {
    await provider.change(plan)
    return provider
  } catch (error) {
    await provider.stop()
    throw error
  }
}
