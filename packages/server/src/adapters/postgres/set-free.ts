import { type RawBuilder, sql } from 'kysely'
import type { Database } from './database.ts'
import { insertEvents } from './event-store.ts'
import { isUnleased, noTrouble } from './grant-sql.ts'

/**
 * Lets grants be refreshed again, each at another moment of the next seconds: by the sweeper then, and by whoever asks then
 * or, `atOnce`, now. Rows that somebody is writing are passed over: what comes of that is newer than the reason for this.
 */
export async function setFree(
  db: Database,
  ids: RawBuilder<unknown>,
  { spreadSeconds, atOnce }: { spreadSeconds: number; atOnce: boolean },
): Promise<number> {
  const { rows } = await sql`
    with waiting as (${ids} for update of grants skip locked),
    spread as (select id, now() + make_interval(secs => ${spreadSeconds} * random()) as at from waiting)
    update grants set
      blocked = false,
      retry_at = ${atOnce ? sql`null` : sql`spread.at`},
      refresh_due_at = spread.at
    from spread where grants.id = spread.id returning grants.id`.execute(db)
  return rows.length
}

/** The grants of a connection whose client was refused. */
export function unblock(db: Database, connectionId: string, spreadSeconds: number): Promise<number> {
  const blocked = sql`select id from grants where connection_id = ${connectionId} and blocked and status = 'active'`
  return setFree(db, blocked, { spreadSeconds, atOnce: true })
}

/** A renewable grant as it was before anything went wrong with it or it was revoked; one that is being refreshed stays as it is. */
export async function reopen(db: Database, id: string): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const former = await trx
      .selectFrom('grants')
      .select('status')
      .where('id', '=', id)
      .where((eb) => eb.or([eb('status', '<>', 'active'), eb('failure_count', '>', 0)]))
      .where(isUnleased)
      .forUpdate()
      .executeTakeFirst()
    if (!former) return
    await trx
      .updateTable('grants')
      .set({
        ...noTrouble,
        status: 'active',
        renewable: true,
        generation: sql<number>`grants.generation + 1`,
        updated_at: sql<Date>`now()`,
      })
      .where('id', '=', id)
      .execute()
    if (former.status === 'revoked') await insertEvents(trx, id, [{ type: 'grant.reopened', data: {} }])
  })
}
