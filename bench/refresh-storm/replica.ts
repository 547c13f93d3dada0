import { createOAuth } from '../../packages/server/src/adapters/oauth/create-oauth.ts'
import { createSafeFetch } from '../../packages/server/src/adapters/oauth/safe-fetch.ts'
import { createConnectionStore } from '../../packages/server/src/adapters/postgres/connection-store.ts'
import { createGrantStore } from '../../packages/server/src/adapters/postgres/grant-store.ts'
import { createIssueToken, type IssueToken } from '../../packages/server/src/core/grants/issue-token.ts'
import type { OAuth } from '../../packages/server/src/core/oauth-port.ts'
import { createRefreshEngine } from '../../packages/server/src/refresh-engine.ts'
import type { SimulatedTime } from './simulated-time.ts'
import type { VaultDatabase } from './vault-database.ts'

export interface Replica {
  issueToken: IssueToken
  /** Stops sweeping, and waits for what is under way. */
  stop(): Promise<void>
}

/** As many of the sweeper's refreshes as one replica may have under way. */
export const perProvider = 8

/** Seconds that a refresh may take at the provider. */
const timeout = 20
/** Longer than a vault's: what is left of it in real time must outlast a machine that is busy. */
const lease = { seconds: 10, renewalMs: 2_000 }

/** The refresh engine of one vault and what issues its tokens, in this process and in simulated time. */
export function startReplica(deps: {
  time: SimulatedTime
  database: VaultDatabase
  /** Told of each call to the provider when it begins. */
  onCall(): void
}): Replica {
  const { time, database } = deps
  const connections = createConnectionStore(database.db)
  const grants = createGrantStore(database.db)
  const underWay = new Set<Promise<unknown>>()
  const inBackground = (work: Promise<unknown>) => {
    const watched = work.catch(() => undefined).finally(() => underWay.delete(watched))
    underWay.add(watched)
  }
  const { keyring } = database
  const oauth = createTimedOAuth(time)
  const engine = createRefreshEngine({
    grants,
    connections,
    keyring,
    oauth: {
      refresh(client, refreshToken) {
        deps.onCall()
        return oauth.refresh(client, refreshToken)
      },
      requestToken: () => Promise.reject(new Error('every grant here has a refresh token')),
    },
    giveBackTokens: async () => {},
    meter: { refreshed() {}, leaseLost() {} },
    log: { info() {}, warn() {}, error() {} },
    limits: { timeoutMs: timeout * 1000, concurrency: 32, perProvider, unusedAfter: null },
    lease,
    clock: time.elapsed,
    sleep: time.sleep,
    inBackground,
  })
  const stopping = new AbortController()
  const sweeping = sweepUntil(stopping.signal, time, engine.sweepDueGrants)
  return {
    issueToken: createIssueToken({
      connections,
      grants,
      keyring,
      refreshGrant: engine.refreshGrant,
      sleep: time.sleep,
    }),
    async stop() {
      stopping.abort()
      await sweeping
      await Promise.all(underWay)
      await oauth.close()
    },
  }
}

/** As the vault's job does it, by another clock. */
async function sweepUntil(
  stopping: AbortSignal,
  time: SimulatedTime,
  sweep: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  while (!stopping.aborted) {
    await time.sleep(750 + Math.random() * 500)
    await sweep(stopping)
  }
}

/** Its timeouts are simulated as well. They are fixed when a client is made: there is one for each speed of time. */
function createTimedOAuth(time: SimulatedTime): Pick<OAuth, 'refresh'> & { close(): Promise<unknown> } {
  const clients = new Map<number, ReturnType<typeof createClient>>()
  const clientNow = () => {
    const client = clients.get(time.factor()) ?? createClient(Math.round((timeout * 1000) / time.factor()))
    clients.set(time.factor(), client)
    return client
  }
  return {
    refresh: (client, refreshToken) => clientNow().oauth.refresh(client, refreshToken),
    close: () => Promise.all([...clients.values()].map(({ safeFetch }) => safeFetch.close())),
  }
}

function createClient(timeoutMs: number) {
  const safeFetch = createSafeFetch({ allowLoopback: true, timeoutMs })
  return { safeFetch, oauth: createOAuth({ safeFetch, refreshTimeoutMs: timeoutMs }) }
}
