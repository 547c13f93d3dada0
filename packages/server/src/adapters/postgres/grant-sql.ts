import { type RawBuilder, sql } from 'kysely'
import type { Failure, SealedTokens } from '../../core/grant-port.ts'

/** A moment by the database's clock. */
export function secondsFromNow(seconds: number) {
  return sql<Date>`now() + make_interval(secs => ${seconds})`
}

/** Nobody holds an unexpired lease on it. */
export const isUnleased = sql<boolean>`(grants.lease_until is null or grants.lease_until <= now())`

/** The error as JSON, dated by the database. */
export function errorNow(error: Failure) {
  return sql<string>`jsonb_build_object(
    'code', ${error.code}::text, 'class', ${error.class}::text, 'detail', ${error.detail}::text,
    'at', to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))`
}

/** What an authorization changes in a grant, whatever it was before; the refresh token, its end and scope excepted. */
export function tokenColumns(tokens: SealedTokens) {
  return {
    status: 'active' as const,
    access_token: tokens.accessToken,
    token_type: tokens.tokenType,
    // The token has been ageing since the provider was asked for it.
    expires_at: fromIssue(tokens.expiresIn, tokens.age),
    expiry_assumed: tokens.expiryAssumed,
    lifetime: tokens.expiresIn,
    refresh_due_at: fromIssue(tokens.refreshDueIn, tokens.age),
    keep_alive_at: fromIssue(tokens.keepAliveIn, tokens.age),
    generation: sql<number>`grants.generation + 1`,
    ...noTrouble,
    updated_at: sql<Date>`now()`,
  }
}

/** What a grant is cleared of when it begins anew, or is over. */
export const noTrouble = {
  lease_owner: null,
  lease_until: null,
  attempted_at: null,
  interrupted_at: null,
  blocked: false,
  retry_at: null,
  failure_count: 0,
  unrecognized_count: 0,
  rejections: 0,
  last_error: null,
}

/** Seconds from the issue of tokens, which was `age` milliseconds ago; null stays null. */
export function fromIssue(seconds: number | null, age: number): RawBuilder<Date> | null {
  return seconds === null ? null : secondsFromNow(seconds - age / 1000)
}
