import { errorTable } from '@authconn/shared/errors'
import { AuthconnError } from '../errors.ts'
import type { Grant, GrantStore } from '../grant-port.ts'
import type { Connection, ConnectionStore, Log } from '../ports.ts'
import type { CircuitBreaker } from './circuit-breaker.ts'
import { endedWithoutRefreshToken } from './issue-token.ts'
import { createLanes } from './lanes.ts'
import type { LeaseTimes } from './lease-keeper.ts'
import { originOf, type RefreshGrant } from './refresh-grant.ts'

export interface SweepLimits {
  /** Refreshes at a time, of all providers together. */
  concurrency: number
  /** And of one provider, by the origin of its token endpoint. */
  perProvider: number
  /** Seconds without a use after which a grant is kept alive only; null: never. */
  unusedAfter: number | null
}

/** Seconds that a claim lasts beyond a lease: the wait until its turn comes. */
const longestTurn = 26
/** Seconds after which what was claimed in vain is due again. */
const putBackFor = 2
/** Milliseconds after which it looks again although nothing has come to its end. */
const patience = 1_000

/**
 * One round of refreshing what is due, ahead of its end. It lasts until nothing is due, or the signal stops it; refreshes
 * that are slow go on behind it. Replicas share the work: what one has claimed the others leave alone.
 */
export function createSweepDueGrants(deps: {
  grants: Pick<GrantStore, 'claimDue' | 'putBack' | 'expire'>
  connections: Pick<ConnectionStore, 'findByIds'>
  breaker: CircuitBreaker
  refreshGrant: RefreshGrant
  limits: SweepLimits
  lease: LeaseTimes
  log: Log
  sleep(ms: number): Promise<unknown>
  /** Takes work that goes on behind a round, so that a shutdown waits for it. */
  inBackground(work: Promise<unknown>): void
}): (signal: AbortSignal) => Promise<void> {
  const { grants, connections, breaker, limits, log } = deps
  const lanes = createLanes({ width: limits.perProvider })
  // No more at a time than one provider may have, or a provider that hangs would soon fill all lanes.
  const batch = Math.min(limits.perProvider, limits.concurrency)

  return async function sweepDueGrants(signal) {
    while (!signal.aborted) {
      if (lanes.running() > limits.concurrency - batch) {
        await lanes.changed()
        continue
      }
      const full = lanes.full()
      const claimed = await grants.claimDue({
        limit: batch,
        except: [...breaker.refusing(), ...full],
        seconds: deps.lease.seconds + longestTurn,
        unusedAfter: limits.unusedAfter,
      })
      await launch(claimed.grants, signal)
      if (claimed.more) continue
      // What is due at a provider that has all it may have is not seen before it has room again.
      if (full.length === 0) return
      if (lanes.full().length > 0) await Promise.race([lanes.changed(), deps.sleep(patience)])
    }
  }

  async function launch(due: Grant[], signal: AbortSignal): Promise<void> {
    if (due.length === 0) return
    const found = await connections.findByIds([...new Set(due.map((grant) => grant.connectionId))])
    const byId = new Map(found.map((connection) => [connection.id, connection]))
    for (const grant of due) {
      const connection = byId.get(grant.connectionId)
      // Deleted meanwhile.
      if (!connection) continue
      lanes.run(originOf(connection), () => {
        const refresh = work(connection, grant, signal)
        deps.inBackground(refresh)
        return refresh
      })
    }
  }

  async function work(connection: Connection, grant: Grant, signal: AbortSignal): Promise<void> {
    // Its claim runs out, and another round takes it up.
    if (signal.aborted) return
    try {
      if (!grant.refreshable) await grants.expire(grant, ended)
      // Another one is asking whether the provider is back. This one is not put off for as long as a claim lasts.
      else if (breaker.refusing().includes(originOf(connection))) await grants.putBack(grant, putBackFor)
      else await deps.refreshGrant(connection, grant)
    } catch (error) {
      // What went wrong at the provider is kept with the grant and logged there.
      if (error instanceof AuthconnError && errorTable[error.code].kind !== 'internal') return
      log.error({ error, grant: grant.id }, 'could not refresh a grant that was due')
    }
  }
}

const ended = { code: 'grant_expired', class: 'permanent', detail: endedWithoutRefreshToken } as const
