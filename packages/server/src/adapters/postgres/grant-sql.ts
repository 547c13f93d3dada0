import { sql } from 'kysely'
import type { LastError, SealedTokens } from '../../core/ports.ts'

/** A moment by the database's clock. */
export function secondsFromNow(seconds: number) {
  return sql<Date>`now() + make_interval(secs => ${seconds})`
}

/** The error as JSON, dated by the database. */
export function errorNow(error: Omit<LastError, 'at'>) {
  return sql<string>`jsonb_build_object(
    'code', ${error.code}::text, 'detail', ${error.detail}::text,
    'at', to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))`
}

/** What changes in a grant when new tokens arrive, however they came; the refresh token and scope excepted. */
export function tokenColumns(tokens: SealedTokens) {
  return {
    status: 'active' as const,
    access_token: tokens.accessToken,
    token_type: tokens.tokenType,
    // The token has been ageing since the provider was asked for it.
    expires_at: tokens.expiresIn === null ? null : secondsFromNow(tokens.expiresIn - tokens.age / 1000),
    lifetime: tokens.expiresIn,
    generation: sql<number>`generation + 1`,
    lease_owner: null,
    lease_until: null,
    retry_at: null,
    failure_count: 0,
    last_error: null,
    updated_at: sql<Date>`now()`,
  }
}
