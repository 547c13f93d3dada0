import { randomUUID } from 'node:crypto'
import { isErrorCode } from '@authconn/shared/errors'
import { AuthconnError } from '../errors.ts'
import type { Grant, GrantNow, GrantStore, Lease } from '../grant-port.ts'
import type { Connection } from '../ports.ts'
import type { CircuitBreaker, Ticket } from './circuit-breaker.ts'
import { getGrant } from './get-grant.ts'
import type { LeaseKeeper, LeaseTimes } from './lease-keeper.ts'
import type { RefreshUnderLease } from './refresh-under-lease.ts'

/**
 * Refreshes a grant through its provider, once, however many ask, here and on other replicas. Goes on to its end whoever
 * waits for it. Resolves to the grant after the refresh, whoever did it.
 * Throws AuthconnError grant_expired, client_rejected, provider_unavailable, provider_answer_invalid,
 * provider_address_refused, provider_host_not_allowed, refresh_in_progress, connection_not_found, sealed_value_damaged.
 */
export type RefreshGrant = (connection: Connection, grant: Grant, options?: RefreshOptions) => Promise<GrantNow>

export interface RefreshOptions {
  /** Also where the provider refuses the client, in case somebody mended that. */
  forced?: boolean
  /** An API refused the token that is to be replaced. */
  rejected?: boolean
}

export function createRefreshGrant(deps: {
  grants: GrantStore
  breaker: CircuitBreaker
  lease: LeaseTimes
  leases: LeaseKeeper
  refreshUnderLease: RefreshUnderLease
  /** Milliseconds for which somebody else's refresh is followed: longer than any takes. */
  followMs: number
  sleep(ms: number): Promise<unknown>
  /** Takes work that goes on whether or not somebody waits for it, so that a shutdown does. */
  inBackground(work: Promise<unknown>): void
}): RefreshGrant {
  const { grants } = deps
  const running = new Map<string, Promise<GrantNow>>()

  return function refreshGrant(connection, grant, options = {}) {
    const key = `${grant.id} ${grant.generation} ${options.forced === true}`
    const shared = running.get(key)
    if (shared) return shared
    const refresh = leaseOrFollow(connection, grant, options).finally(() => running.delete(key))
    running.set(key, refresh)
    deps.inBackground(refresh)
    return refresh
  }

  async function leaseOrFollow(connection: Connection, grant: Grant, options: RefreshOptions): Promise<GrantNow> {
    const deadline = performance.now() + deps.followMs
    for (let pause = 20; ; pause = Math.min(pause * 1.5, 200)) {
      const attempted = await attempt(connection, grant, options)
      if (attempted && 'grant' in attempted && isOver(attempted, grant)) return attempted
      const seen = await getGrant(grants, grant.id)
      if (isOver(seen, grant)) return seen
      if (!seen.leased) {
        // The one we followed failed; asking the provider again at once would only repeat it.
        if (isHeldBack(seen, options) || seen.grant.failureCount > grant.failureCount) throw lastFailure(seen)
        if (attempted instanceof AuthconnError) throw attempted
      }
      if (performance.now() + pause > deadline) throw inProgress()
      await deps.sleep(pause)
    }
  }

  /**
   * The grant after it, as it was when the lease was lost and whoever has it now is still at it; undefined when somebody
   * else has the lease; an error, which is not thrown, when the provider is left alone just now.
   */
  async function attempt(
    connection: Connection,
    grant: Grant,
    options: RefreshOptions,
  ): Promise<GrantNow | AuthconnError | undefined> {
    const entered = deps.breaker.enter(originOf(connection), grant.id)
    if ('refusedFor' in entered) return leftAlone(entered.refusedFor)
    try {
      return await attemptWith(entered, connection, grant, options)
    } finally {
      entered.unused()
    }
  }

  async function attemptWith(
    ticket: Ticket,
    connection: Connection,
    grant: Grant,
    options: RefreshOptions,
  ): Promise<GrantNow | undefined> {
    const lease: Lease = { grantId: grant.id, generation: grant.generation, owner: randomUUID() }
    const { forced = false } = options
    const taken = await grants.takeLease(lease, deps.lease.seconds, { failures: grant.failureCount, forced })
    if (!taken) return undefined
    const release = deps.leases.keep(lease)
    try {
      const rejected = options.rejected === true
      return await deps.refreshUnderLease({ connection, grant, lease, ticket, rejected, ...taken })
    } finally {
      release()
    }
  }
}

/** Providers are told apart by origin: a workspace could write an endpoint in many ways. */
export function originOf({ endpoints }: Connection): string {
  return new URL(endpoints.token_endpoint).origin
}

function isOver({ grant }: GrantNow, before: Grant): boolean {
  return grant.generation !== before.generation || grant.status !== 'active'
}

function leftAlone(ms: number): AuthconnError {
  return new AuthconnError(
    'provider_unavailable',
    'The provider has failed several times in a row and is left alone for a moment',
    { retryAfter: Math.max(1, Math.ceil(ms / 1000)) },
  )
}

export function inProgress(): AuthconnError {
  return new AuthconnError('refresh_in_progress', undefined, { retryAfter: 1 })
}

/** The error that the last refresh left, for callers that come while nothing may be tried. */
export function lastFailure({ grant, now }: GrantNow): AuthconnError {
  const { code, detail } = grant.lastError ?? {}
  const seconds = grant.retryAt ? Math.max(1, Math.ceil((grant.retryAt.getTime() - now.getTime()) / 1000)) : 1
  return new AuthconnError(
    isErrorCode(code) ? code : 'provider_unavailable',
    detail,
    grant.blocked ? {} : { retryAfter: seconds },
  )
}

function isHeldBack({ grant, now }: GrantNow, { forced }: RefreshOptions): boolean {
  return (grant.retryAt !== null && grant.retryAt > now) || (grant.blocked && !forced)
}
