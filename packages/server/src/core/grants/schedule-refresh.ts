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
  tokens: { expiresIn: number | null; refreshTokenExpiresIn: number | null; refreshable: boolean },
  random: () => number = Math.random,
): { refreshDueIn: number | null; keepAliveIn: number | null } {
  // There is nothing to refresh: what is due is to say that it has ended.
  if (!tokens.refreshable) return { refreshDueIn: tokens.expiresIn, keepAliveIn: null }
  const idle = tokens.refreshTokenExpiresIn ?? 2 * cautiousDays * day
  const keepAliveIn = (idle / 2) * (1 - random() / 10)
  if (tokens.expiresIn === null) return { refreshDueIn: keepAliveIn, keepAliveIn }
  const lead = leadTime(tokens.expiresIn) / 1000
  const ahead = Math.max(shortestPause, tokens.expiresIn - lead * (1 + random() / 2))
  return { refreshDueIn: Math.min(keepAliveIn, ahead), keepAliveIn }
}
