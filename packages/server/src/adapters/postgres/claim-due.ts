import { sql } from 'kysely'
import type { ClaimDue, Grant } from '../../core/grant-port.ts'
import type { Database } from './database.ts'
import { isUnleased, secondsFromNow } from './grant-sql.ts'
import { startingWith } from './patterns.ts'
import { grantColumns, toGrant } from './rows.ts'

/** Seconds for which an interrupted attempt is claimed: should this process die as well, there is little time left. */
const interruptedClaim = 2

/**
 * Claims what is due in one statement. Replicas that ask at once pass over each other's rows, and what is claimed is not
 * due for a while. A grant that nobody uses is only kept alive: it is put off until its refresh token needs it.
 */
export async function claimDue(db: Database, claim: ClaimDue): Promise<{ grants: Grant[]; more: boolean }> {
  const rows = await db
    .with('due', (cte) =>
      cte
        .selectFrom('grants')
        .innerJoin('connections', 'connections.id', 'grants.connection_id')
        .select('grants.id')
        .select(isIdle(claim.unusedAfter).as('idle'))
        .where('grants.status', '=', 'active')
        .where('grants.refresh_due_at', '<=', sql<Date>`now()`)
        .where(isUnleased)
        .where('connections.deleted_at', 'is', null)
        .$if(claim.except.length > 0, (query) =>
          query.where(
            sql<boolean>`connections.endpoints ->> 'token_endpoint' not like all(${claim.except.map(startingWith)}::text[])`,
          ),
        )
        .orderBy('grants.refresh_due_at')
        .limit(claim.limit)
        .forUpdate('grants')
        .skipLocked(),
    )
    .updateTable('grants')
    .from('due')
    .set({
      refresh_due_at: sql<Date>`case
        when due.idle then grants.keep_alive_at
        when grants.attempted_at is not null then ${secondsFromNow(interruptedClaim)}
        else ${secondsFromNow(claim.seconds)} end`,
    })
    .whereRef('grants.id', '=', 'due.id')
    .returning(grantColumns)
    .returning('due.idle')
    .execute()
  return { grants: rows.filter((row) => !row.idle).map(toGrant), more: rows.length === claim.limit }
}

/** What somebody has begun on meanwhile, or is through with, stays as it is. */
export async function putBack(db: Database, { id, generation }: Grant, seconds: number): Promise<void> {
  await db
    .updateTable('grants')
    .set({ refresh_due_at: secondsFromNow(seconds) })
    .where('id', '=', id)
    .where('generation', '=', generation)
    .where('status', '=', 'active')
    .where('attempted_at', 'is', null)
    .execute()
}

function isIdle(unusedAfter: number | null) {
  if (unusedAfter === null) return sql<boolean>`false`
  // Of one that is renewable nothing dies of disuse: it is left alone until somebody uses it.
  return sql<boolean>`(grants.keep_alive_at > now() or grants.renewable)
    and coalesce(grants.last_used_at, grants.created_at) < ${secondsFromNow(-unusedAfter)}`
}
