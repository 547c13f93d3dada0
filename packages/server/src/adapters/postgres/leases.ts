import { sql } from 'kysely'
import type { GrantStore } from '../../core/grant-port.ts'
import type { Database } from './database.ts'
import { isUnleased, secondsFromNow } from './grant-sql.ts'

type After<F> = F extends (...args: infer A) => infer R ? (db: Database, ...args: A) => R : never

/**
 * One statement that compares generation, status, lease and pauses by the database's clock, and records the attempt: what
 * an earlier attempt recorded and never cleared is one whose outcome nobody knows. Should this one be left behind as well,
 * the grant is due before all others when its lease ends: its provider may forgive a reuse for some seconds.
 */
export const takeLease: After<GrantStore['takeLease']> = async (
  db,
  lease,
  seconds,
  { failures, forced = false },
) => {
  const row = await db
    .updateTable('grants')
    .set({
      lease_owner: lease.owner,
      lease_until: secondsFromNow(seconds),
      interrupted_at: sql<Date | null>`coalesce(interrupted_at, attempted_at)`,
      attempted_at: sql<Date>`now()`,
      refresh_due_at: sql<Date>`to_timestamp(0)`,
    })
    .where('id', '=', lease.grantId)
    .where('generation', '=', lease.generation)
    .where('failure_count', '=', failures)
    .where('status', '=', 'active')
    .where(isUnleased)
    .where((eb) => eb.or([eb('retry_at', 'is', null), eb('retry_at', '<=', sql<Date>`now()`)]))
    .$if(!forced, (query) => query.where('blocked', '=', false))
    .returning('interrupted_at')
    .executeTakeFirst()
  return row && { interruptedAt: row.interrupted_at }
}

export const renewLeases: After<GrantStore['renewLeases']> = async (db, leases, seconds) => {
  const ids = leases.map((lease) => lease.grantId)
  const owners = leases.map((lease) => lease.owner)
  await sql`
    update grants
    set lease_until = ${secondsFromNow(seconds)}
    from unnest(${ids}::uuid[], ${owners}::text[]) as held (id, owner)
    where grants.id = held.id and grants.lease_owner = held.owner`.execute(db)
}

export const endAllLeases: After<GrantStore['endAllLeases']> = async (db) => {
  await db
    .updateTable('grants')
    .set({ lease_until: sql<Date>`now()`, refresh_due_at: sql<Date>`now()` })
    .where('lease_until', '>', sql<Date>`now()`)
    .execute()
}
