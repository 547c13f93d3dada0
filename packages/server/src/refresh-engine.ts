import type { Config } from './config/load-config.ts'
import type { Keyring } from './core/crypto/keyring.ts'
import type { GrantStore } from './core/grant-port.ts'
import { createCircuitBreaker } from './core/grants/circuit-breaker.ts'
import type { GiveBackTokens } from './core/grants/give-back-tokens.ts'
import { createLeaseKeeper, type LeaseTimes } from './core/grants/lease-keeper.ts'
import { createRefreshGrant, type RefreshGrant } from './core/grants/refresh-grant.ts'
import type { RefreshMeter } from './core/grants/refresh-meter.ts'
import { createRefreshUnderLease } from './core/grants/refresh-under-lease.ts'
import { createSweepDueGrants } from './core/grants/sweep-due-grants.ts'
import type { OAuth } from './core/oauth-port.ts'
import type { ConnectionStore, Log } from './core/ports.ts'

export interface RefreshEngine {
  refreshGrant: RefreshGrant
  sweepDueGrants(signal: AbortSignal): Promise<void>
  /** Origins of token endpoints that are left alone now. */
  refusing(): string[]
}

/** Seconds over which the grants that waited for a provider are spread when it is back. */
const recoverySpread = 15

/** Everything that refreshes, put together: on demand and ahead of expiry, over one circuit breaker and one set of leases. */
export function createRefreshEngine(deps: {
  grants: GrantStore
  connections: ConnectionStore
  keyring: Keyring
  oauth: Pick<OAuth, 'refresh' | 'requestToken'>
  giveBackTokens: GiveBackTokens
  meter: RefreshMeter
  log: Log
  limits: Config['refresh']
  lease: LeaseTimes
  /** Milliseconds of a clock that never goes back. */
  clock(): number
  sleep(ms: number): Promise<unknown>
  inBackground(work: Promise<unknown>): void
}): RefreshEngine {
  const { grants, log, limits } = deps
  const breaker = createCircuitBreaker({
    clock: deps.clock,
    random: Math.random,
    onRecovered: (origin) => deps.inBackground(grants.bringForward(origin, recoverySpread)),
  })
  const refreshGrant = createRefreshGrant({
    ...deps,
    breaker,
    leases: createLeaseKeeper(deps),
    refreshUnderLease: createRefreshUnderLease(deps),
    // A refresh of another process that has just begun, and what the database may take to write it.
    followMs: limits.timeoutMs + 1000 * deps.lease.seconds + 10_000,
  })
  return {
    refreshGrant,
    refusing: breaker.refusing,
    sweepDueGrants: createSweepDueGrants({ ...deps, breaker, refreshGrant, log }),
  }
}
