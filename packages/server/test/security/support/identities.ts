import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { openVerifier } from '../../../src/adapters/identity/open-verifier.ts'
import { createSafeFetch } from '../../../src/adapters/oauth/safe-fetch.ts'
import { createTrustStore } from '../../../src/adapters/postgres/trust-store.ts'
import type { AuditFacts } from '../../../src/core/audit-port.ts'
import { AuthconnError } from '../../../src/core/errors.ts'
import type { NewTrustRow, Trust, TrustStore } from '../../../src/core/trust-port.ts'
import { createExchangeToken, type IssuedKey } from '../../../src/core/trusts/exchange-token.ts'
import type { TestDatabase } from '../../support/databases.ts'
import { type OidcIssuer, startIssuer, vaultAudience } from '../../support/oidc-issuer.ts'
import { silentLog, useStores } from '../../support/stores.ts'

/** Vaults over one database, and an issuer of the shape of GitHub's. All signatures, calls and statements are real. */
export function useIdentities(database: TestDatabase) {
  const stores = useStores(database)
  const safeFetch = createSafeFetch({ allowLoopback: true, timeoutMs: 2000 })
  const world = {
    stores,
    issuer: {} as OidcIssuer,
    /** Somebody else's, which no trust is about. */
    stranger: {} as OidcIssuer,
    trusts: {} as TrustStore,
    records: [] as AuditFacts[],
    outcomes: [] as string[],
    /** Added to the clock by which keys are held. */
    passed: 0,
    newTrust,
    newVault,
  }

  beforeAll(async () => {
    world.issuer = await startIssuer()
    world.stranger = await startIssuer()
    world.trusts = createTrustStore(stores.db)
  })
  beforeEach(() => {
    Object.assign(world, { records: [], outcomes: [] })
    world.issuer.hits.length = 0
    world.stranger.hits.length = 0
  })
  afterAll(async () => {
    await Promise.all([world.issuer.stop(), world.stranger.stop(), safeFetch.close()])
  })
  return world

  /** For jobs of one repository of GitHub's, in an environment, on the main branch or a release. */
  async function newTrust(given: Partial<NewTrustRow> = {}): Promise<Trust> {
    const trust = await world.trusts.insert({
      id: randomUUID(),
      workspaceId: stores.admin.workspaceId,
      name: `trust-${randomUUID()}`,
      preset: 'github',
      issuer: world.issuer.url,
      audience: [vaultAudience],
      jwksUri: null,
      jwks: null,
      algorithms: ['RS256', 'ES256'],
      claims: [
        { claim: 'repository_id', values: ['456789'] },
        { claim: 'environment', values: ['production', 'staging'] },
        { claim: 'ref', values: ['refs/heads/main', 'refs/tags/v*'] },
      ],
      maxAge: 600,
      singleUse: true,
      permissions: ['token:read'],
      connections: ['google-*'],
      subjects: [],
      addresses: null,
      keyLifetime: 900,
      login: null,
      expiresAt: null,
      ...given,
    })
    if (!trust) throw new Error('the name is taken')
    return trust
  }

  /** A process of its own: it holds its own keys of issuers. */
  function newVault() {
    const exchangeToken = createExchangeToken({
      trusts: world.trusts,
      verifyToken: openVerifier({ safeFetch, clock: () => performance.now() + world.passed }),
      audit: { record: async (facts) => void world.records.push(...facts) },
      meter: { exchanged: (outcome) => void world.outcomes.push(outcome) },
      rateLimits: { findSpent: () => undefined, exchanged: () => undefined },
      onLimited: () => undefined,
      log: silentLog,
      clock: () => new Date(),
      // How long a refusal takes is shown where it is answered.
      sleep: async () => undefined,
      inBackground: (work) => void work.catch(() => undefined),
    })
    return {
      exchange: (token: string, options: { trust?: string; workspace?: string; address?: string } = {}) =>
        exchangeToken(
          {
            grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
            subject_token: token,
            subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
            ...(options.trust === undefined ? {} : { trust: options.trust }),
            ...(options.workspace === undefined ? {} : { workspace: options.workspace }),
          },
          { address: options.address ?? null, requestId: 'request-1' },
        ),
    }
  }
}

/** The code of the refusal, or `accepted`. */
export async function codeOf(exchange: Promise<IssuedKey>): Promise<string> {
  try {
    await exchange
    return 'accepted'
  } catch (error) {
    if (error instanceof AuthconnError) return error.code
    throw error
  }
}
