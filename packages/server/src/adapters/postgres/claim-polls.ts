import { sql } from 'kysely'
import type { AuthorizationStore } from '../../core/ports.ts'
import { toAuthorization } from './authorization-row.ts'
import type { Database } from './database.ts'

/**
 * Takes authorizations whose provider is to be asked now, for one question each: nobody else gets them before that is over,
 * nor sooner than the provider allows, should the process that took them die. Those of callers that may not call any more are
 * left to expire.
 */
export async function claimPolls(
  db: Database,
  limit: number,
  seconds: number,
): ReturnType<AuthorizationStore['claimPolls']> {
  const rows = await db
    .with('due', (cte) =>
      cte
        .selectFrom('authorizations')
        .innerJoin('connections', 'connections.id', 'authorizations.connection_id')
        .innerJoin('callers', 'callers.id', 'authorizations.caller_id')
        .select(['authorizations.id', 'connections.name', 'callers.name as caller_name'])
        .where('authorizations.status', '=', 'pending')
        // It has been answered, and who asked is about to store the tokens.
        .where('authorizations.claimed_at', 'is', null)
        .where('authorizations.next_poll_at', '<=', sql<Date>`now()`)
        .where('authorizations.expires_at', '>', sql<Date>`now()`)
        .where('connections.deleted_at', 'is', null)
        .where(isCallerUnended)
        .orderBy('authorizations.next_poll_at')
        .limit(limit)
        .forUpdate('authorizations')
        .skipLocked(),
    )
    .updateTable('authorizations')
    .from('due')
    .set({ next_poll_at: sql<Date>`now() + make_interval(secs => greatest(${seconds}::integer, poll_interval))` })
    .whereRef('authorizations.id', '=', 'due.id')
    .returningAll('authorizations')
    .returning(['due.name', 'due.caller_name', sql<boolean>`false`.as('expired')])
    .execute()
  return rows.map((row) => ({
    authorization: toAuthorization(row),
    callerName: row.caller_name,
    interval: row.poll_interval ?? 0,
  }))
}

/** The caller that began it is neither revoked nor at its end. */
export const isCallerUnended = sql<boolean>`(callers.revoked_at is null and (callers.expires_at is null or callers.expires_at > now()))`
