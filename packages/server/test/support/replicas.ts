import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach } from 'vitest'
import type { GrantStore } from '../../src/core/grant-port.ts'
import { createCreateGrant } from '../../src/core/grants/create-grant.ts'
import { createIssueToken, type TokenWish } from '../../src/core/grants/issue-token.ts'
import { leaseTimes } from '../../src/core/grants/lease-keeper.ts'
import type { OAuth, OAuthClient, RefreshedTokens, TokenSet } from '../../src/core/oauth-port.ts'
import { Secret } from '../../src/core/secret.ts'
import { createRefreshEngine } from '../../src/refresh-engine.ts'
import type { TestDatabase } from './databases.ts'
import { silentLog, useStores } from './stores.ts'

export function exampleTokenSet(name: string, expiresIn: number | null = 3600): TokenSet {
  return {
    accessToken: new Secret(`${name} access token`),
    refreshToken: new Secret(`${name} refresh token`),
    tokenType: 'Bearer',
    expiresIn,
    expiryAssumed: false,
    refreshTokenExpiresIn: null,
    scope: null,
  }
}

/** Vault processes, so to speak, over one database, and a provider that each test scripts. */
export function useReplicas(database: TestDatabase) {
  const stores = useStores(database)
  const provider = {
    /** The refresh tokens it was asked with. */
    calls: [] as string[],
    /** The access tokens that were revoked as they had found no place. */
    givenBack: [] as string[],
    outcomes: [] as string[],
    answer: async (_client: OAuthClient): Promise<TokenSet & Partial<RefreshedTokens>> =>
      exampleTokenSet('second'),
  }
  beforeEach(() => {
    Object.assign(provider, {
      calls: [],
      givenBack: [],
      outcomes: [],
      answer: async () => exampleTokenSet('second'),
    })
  })
  const ask = async (client: OAuthClient, what: string) => {
    provider.calls.push(what)
    return { metadata: {}, ...(await provider.answer(client)) }
  }
  const oauth: Pick<OAuth, 'refresh' | 'requestToken'> = {
    refresh: (client, refreshToken) => ask(client, refreshToken.reveal()),
    requestToken: (client, { subject }) => ask(client, subject === '' ? 'for itself' : `for ${subject}`),
  }

  /** One process: its own shared promises, leases and circuit breaker. */
  function replica(given: { grants?: Partial<GrantStore>; unusedAfter?: number; clock?: () => number } = {}) {
    const { keyring, connections } = stores
    const grants = { ...stores.grants, ...given.grants }
    const background: Promise<unknown>[] = []
    const inBackground = (work: Promise<unknown>) => void background.push(work.catch(() => undefined))
    const engine = createRefreshEngine({
      grants,
      connections,
      keyring,
      oauth,
      giveBackTokens: async (_home, { accessToken }) => void provider.givenBack.push(accessToken.reveal()),
      meter: {
        refreshed: (_connection, outcome) => void provider.outcomes.push(outcome),
        leaseLost: () => void provider.outcomes.push('lease lost'),
      },
      log: silentLog,
      limits: { timeoutMs: 5_000, concurrency: 8, perProvider: 4, unusedAfter: given.unusedAfter ?? null },
      lease: leaseTimes,
      clock: given.clock ?? (() => performance.now()),
      sleep,
      inBackground,
    })
    const issueToken = createIssueToken({
      connections,
      grants,
      keyring,
      refreshGrant: engine.refreshGrant,
      sleep: (ms, signal) => sleep(ms, undefined, { signal }),
    })
    const createGrant = createCreateGrant({ connections, grants, refreshGrant: engine.refreshGrant })
    return {
      issueToken: (name: string, wish: TokenWish = {}) => issueToken(stores.admin, name, wish),
      createGrant: (name: string, subject = '') => createGrant(stores.admin, name, subject),
      background,
      ...engine,
    }
  }

  async function connectionWithToken(
    secondsLeft: number | null,
    given: { refresh?: boolean; lifetime?: number } = {},
  ) {
    const connection = await stores.newConnection()
    const grant = await stores.newActiveGrant(connection, { expiresIn: secondsLeft, ...given })
    // Issued an hour ago for an hour, so to speak.
    const lifetime = secondsLeft === null ? null : (given.lifetime ?? 3600)
    await stores.db.updateTable('grants').set({ lifetime }).where('id', '=', grant.id).execute()
    return connection
  }

  async function stored(name: string) {
    const found = await stores.connections.find(stores.admin.workspaceId, name)
    if (!found?.grant) throw new Error('no grant')
    return found.grant
  }

  /** The types of the events of a connection, oldest first. */
  async function eventsOf(name: string): Promise<string[]> {
    const { connectionId } = await stored(name)
    const rows = await stores.events.list(connectionId, null, { limit: 100, after: undefined, subject: undefined })
    return rows.map(({ type }) => type).reverse()
  }

  /** As if a grant had been left alone for so many seconds: its pauses and leases are over by then. */
  async function passTime(name: string): Promise<void> {
    const { id } = await stored(name)
    const past = new Date(Date.now() - 3_600_000)
    await stores.db
      .updateTable('grants')
      .set({ retry_at: past, lease_until: past, refresh_due_at: past })
      .where('id', '=', id)
      .execute()
  }

  /** As if the provider had refused the client long ago, for all grants of a connection. */
  async function backdateRejection(name: string): Promise<void> {
    const { connectionId } = await stored(name)
    const at = '2026-01-01T00:00:00Z'
    await stores.db
      .updateTable('grants')
      .set({ last_error: JSON.stringify({ code: 'client_rejected', class: 'configuration', detail: '', at }) })
      .where('connection_id', '=', connectionId)
      .execute()
  }

  return { stores, provider, replica, connectionWithToken, stored, eventsOf, passTime, backdateRejection }
}
