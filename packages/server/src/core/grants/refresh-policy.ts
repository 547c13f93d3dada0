import type { GrantStatus } from '@authconn/shared'
import type { Grant } from '../ports.ts'

/** Milliseconds a token must have left to be handed out, when nothing better can be had. */
const margin = 2_000
/** Default shortest remaining life of a token that is handed out without asking the provider, in milliseconds. */
const defaultMinTtl = 60_000
/** How long before its end a token is refreshed while it goes on being served, in milliseconds. */
const longestLead = 300_000

/**
 * - serve: good for long enough
 * - serve_and_refresh: good, but due: refresh it without making the caller wait
 * - refresh: nothing good to serve; wait for a refresh
 * - back_off: nothing good to serve, and the provider failed a moment ago
 * - dead: someone must authorize (again)
 */
export type Freshness = 'serve' | 'serve_and_refresh' | 'refresh' | 'back_off' | 'dead'

/** Fresh, due or dead? From values alone; `now` by the database's clock. */
export function freshness(grant: Grant, now: Date): Freshness {
  if (grant.status !== 'active' || !grant.accessToken) return 'dead'
  if (!grant.expiresAt) return 'serve'
  const remaining = grant.expiresAt.getTime() - now.getTime()
  const refreshable = grant.refreshToken !== null
  if (!refreshable) return remaining > margin ? 'serve' : 'dead'

  const backingOff = grant.retryAt !== null && grant.retryAt > now
  const { minTtl, lead } = thresholds(grant.lifetime)
  if (remaining >= lead) return 'serve'
  if (remaining >= minTtl) return backingOff ? 'serve' : 'serve_and_refresh'
  if (!backingOff) return 'refresh'
  return isServable(grant, now) ? 'serve' : 'back_off'
}

/** Whether the token still has a life, however short: what is served when a refresh failed. */
export function isServable(grant: Grant, now: Date): boolean {
  if (grant.status !== 'active' || !grant.accessToken) return false
  if (!grant.expiresAt) return true
  const { minTtl } = thresholds(grant.lifetime)
  return grant.expiresAt.getTime() - now.getTime() > Math.min(margin, minTtl)
}

/** The status to show: a token that ended without a refresh token has expired, whether or not anyone asked for it. */
export function shownStatus(grant: Grant | undefined, now: Date): GrantStatus {
  if (!grant) return 'pending'
  return grant.status === 'active' && freshness(grant, now) === 'dead' ? 'expired' : grant.status
}

/** Tokens that live shorter than the defaults allow give way to a share of their own lifetime (in seconds). */
function thresholds(lifetime: number | null): { minTtl: number; lead: number } {
  const life = lifetime === null ? Number.POSITIVE_INFINITY : lifetime * 1000
  return { minTtl: Math.min(defaultMinTtl, life / 4), lead: Math.min(longestLead, life / 3) }
}
