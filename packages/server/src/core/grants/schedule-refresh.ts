import { leadTime } from './refresh-policy.ts'

/** Days after which a refresh token is used of which nobody says how long it may lie idle. */
const cautiousDays = 7
const day = 86_400
/** Seconds between refreshes that nobody asked for, however short a provider says that its tokens live. */
const shortestPause = 3

/**
 * When the vault is to look at a grant again by itself, in seconds from the issue of its tokens.
 * `refreshDueIn`: ahead of the access token's end, spread so that what came together is not due together.
 * `keepAliveIn`: at half the life of the refresh token, so that it never dies of disuse.
 */
export function scheduleRefresh(
  tokens: {
    expiresIn: number | null
    refreshTokenExpiresIn: number | null
    refreshable: boolean
    /** Without a refresh token: there is none to keep alive. */
    renewable?: boolean
  },
  random: () => number = Math.random,
): { refreshDueIn: number | null; keepAliveIn: number | null } {
  // There is nothing to refresh: what is due is to say that it has ended.
  if (!tokens.refreshable) return { refreshDueIn: tokens.expiresIn, keepAliveIn: null }
  if (tokens.renewable) {
    const refreshDueIn = tokens.expiresIn === null ? null : aheadOf(tokens.expiresIn, random)
    return { refreshDueIn, keepAliveIn: null }
  }
  const idle = tokens.refreshTokenExpiresIn ?? 2 * cautiousDays * day
  const keepAliveIn = (idle / 2) * (1 - random() / 10)
  if (tokens.expiresIn === null) return { refreshDueIn: keepAliveIn, keepAliveIn }
  return { refreshDueIn: Math.min(keepAliveIn, aheadOf(tokens.expiresIn, random)), keepAliveIn }
}

function aheadOf(expiresIn: number, random: () => number): number {
  const lead = leadTime(expiresIn) / 1000
  return Math.max(shortestPause, expiresIn - lead * (1 + random() / 2))
}
