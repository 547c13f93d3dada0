import type { GrantStatus } from '@authconn/shared'
import type { TokenState } from '../token-port.ts'

/** What a caller asks of the token. */
export interface Wish {
  /** Seconds it must still be valid for. Undefined: the default, which gives way where nothing better can be had. */
  minTtl?: number | undefined
  /** Refresh although the token is good. */
  force?: boolean | undefined
  /** The version (generation) of a token that an API refused. */
  rejectedVersion?: number | undefined
}

/**
 * - serve: good for long enough
 * - serve_and_refresh: good, but due: refresh it without making the caller wait
 * - refresh: nothing good to serve; wait for a refresh
 * - back_off: nothing good to serve, and the provider must not be asked now: it failed a moment ago or refuses the client
 * - unreachable: good, but for less than was asked, and no refresh would change that
 * - not_refreshable: a refresh is asked for, and there is nothing to refresh with
 * - dead: someone must authorize (again)
 */
export type Decision =
  | 'serve'
  | 'serve_and_refresh'
  | 'refresh'
  | 'back_off'
  | 'unreachable'
  | 'not_refreshable'
  | 'dead'

/** Milliseconds a token must have left to be handed out, when nothing better can be had. */
const margin = 2_000
/** Default shortest remaining life of a token that is handed out without asking the provider, in milliseconds. */
const defaultMinTtl = 60_000
/** How long before its end a token is refreshed while it goes on being served, in milliseconds. */
const longestLead = 300_000
/** Milliseconds after a refresh in which nobody can force another. */
const forceFloor = 10_000
/** The same after refreshes that did not help, since an API went on refusing the tokens: it doubles up to this. */
const longestForceFloor = 3_600_000
/** Beyond this share of their life even new tokens would be refused soon after their issue, and refreshed without end. */
const reachableShare = 0.95

/** What to do for a caller, from values alone; `now` by the database's clock. */
export function decide(grant: TokenState, now: Date, wish: Wish = {}): Decision {
  if (grant.status !== 'active') return 'dead'
  if (!grant.accessToken) return decideFirst(grant, now, wish)
  if (!grant.refreshable) return decideUnrefreshable(grant, now, wish)
  if (isForced(grant, now, wish)) return mayBeForced(grant, now) ? 'refresh' : 'back_off'

  const remaining = remainingLife(grant, now)
  const needed = neededLife(grant, wish)
  const mayAsk = !grant.blocked && !isWaiting(grant, now)
  if (remaining >= needed) {
    return mayAsk && remaining < leadTime(grant.lifetime) ? 'serve_and_refresh' : 'serve'
  }
  if (wish.minTtl !== undefined && isOutOfReach(grant, now, wish.minTtl)) return 'unreachable'
  if (mayAsk) return 'refresh'
  return isServable(grant, now, wish) ? 'serve' : 'back_off'
}

/** Whether the token may be handed out although a refresh failed, or is still under way: what was asked for still holds. */
export function isServable(grant: TokenState, now: Date, wish: Wish = {}): boolean {
  if (grant.status !== 'active' || !grant.accessToken || isForced(grant, now, wish)) return false
  const remaining = remainingLife(grant, now)
  if (wish.minTtl !== undefined) return remaining >= Math.max(wish.minTtl * 1000, 1)
  // An end that is only assumed may be wrong, and not without end.
  if (grant.expiryAssumed) return remaining > -lifeOf(grant.lifetime)
  return remaining > Math.min(margin, neededLife(grant, wish))
}

/** The status to show: a token that ended without a refresh token has expired, whether or not anyone asked for it. */
export function shownStatus(grant: TokenState | undefined, now: Date): GrantStatus {
  if (!grant || (grant.status === 'active' && !grant.accessToken)) return 'pending'
  return grant.status === 'active' && decide(grant, now) === 'dead' ? 'expired' : grant.status
}

/** How long before its end a token is due, in milliseconds; short-lived tokens are not refreshed on every read. */
export function leadTime(lifetime: number | null): number {
  return Math.min(longestLead, lifeOf(lifetime) / 3)
}

/** Where nobody is asked for consent, the first token is fetched when somebody asks for it. */
function decideFirst(grant: TokenState, now: Date, { force = false }: Wish): Decision {
  if (!grant.refreshable) return 'dead'
  const mayAsk = force ? mayBeForced(grant, now) : !grant.blocked && !isWaiting(grant, now)
  return mayAsk ? 'refresh' : 'back_off'
}

function decideUnrefreshable(grant: TokenState, now: Date, wish: Wish): Decision {
  const remaining = remainingLife(grant, now)
  if (remaining <= margin) return 'dead'
  if (isForced(grant, now, wish)) return 'not_refreshable'
  return wish.minTtl !== undefined && remaining < wish.minTtl * 1000 ? 'unreachable' : 'serve'
}

/** A refresh is insisted on; one that has just been done is as good as another, and hammers no provider. */
function isForced(grant: TokenState, now: Date, wish: Wish): boolean {
  if (wish.force === true) return !isWithinFloor(grant.lastRefreshedAt, now)
  if (wish.rejectedVersion !== grant.generation) return false
  const floor = Math.min(longestForceFloor, forceFloor * 2 ** Math.min(grant.rejections, 20))
  return !isWithinFloor(grant.lastRefreshedAt, now, floor)
}

/** Forcing gets past a refused client, which someone may have mended, and not past the pause after a failure. */
function mayBeForced(grant: TokenState, now: Date): boolean {
  if (isWaiting(grant, now)) return false
  return !grant.blocked || !isWithinFloor(grant.lastError && new Date(grant.lastError.at), now)
}

function isOutOfReach(grant: TokenState, now: Date, minTtl: number): boolean {
  // The code exchange may have given other lifetimes than a refresh does: one refresh finds out.
  if (grant.lastRefreshedAt === null) return false
  return minTtl * 1000 > lifeOf(grant.lifetime) * reachableShare || isWithinFloor(grant.lastRefreshedAt, now)
}

function isWithinFloor(moment: Date | null, now: Date, floor = forceFloor): boolean {
  return moment !== null && now.getTime() - moment.getTime() < floor
}

function isWaiting(grant: TokenState, now: Date): boolean {
  return grant.retryAt !== null && grant.retryAt > now
}

function remainingLife(grant: TokenState, now: Date): number {
  return grant.expiresAt ? grant.expiresAt.getTime() - now.getTime() : Number.POSITIVE_INFINITY
}

/** Tokens that live shorter than the default allows give way to a share of their own lifetime. */
function neededLife(grant: TokenState, { minTtl }: Wish): number {
  // Not even 0 means a token that has ended.
  if (minTtl !== undefined) return Math.max(minTtl * 1000, 1)
  return Math.min(defaultMinTtl, lifeOf(grant.lifetime) / 4)
}

function lifeOf(lifetime: number | null): number {
  return lifetime === null ? Number.POSITIVE_INFINITY : lifetime * 1000
}
