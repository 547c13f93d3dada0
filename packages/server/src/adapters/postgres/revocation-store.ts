import { type Selectable, sql } from 'kysely'
import type { PendingRevocation, RevocationStore } from '../../core/ports.ts'
import type { Database, Tables } from './database.ts'
import { secondsFromNow } from './grant-sql.ts'

export function createRevocationStore(db: Database): RevocationStore {
  // Claiming moves the next attempt past the lease, so that nobody else tries it now and a crash delays it only.
  const claiming = (seconds: number) => ({
    next_attempt_at: secondsFromNow(seconds),
    attempts: sql<number>`attempts + 1`,
  })

  return {
    async claim(id, seconds) {
      const row = await db
        .updateTable('revocations')
        .set(claiming(seconds))
        .where('id', '=', id)
        .where('next_attempt_at', '<=', sql<Date>`now()`)
        .returningAll()
        .executeTakeFirst()
      return row && toPending(row)
    },

    async claimDue(limit, seconds) {
      const rows = await db
        .updateTable('revocations')
        .set(claiming(seconds))
        .where('id', 'in', (eb) =>
          eb
            .selectFrom('revocations')
            .select('id')
            .where('next_attempt_at', '<=', sql<Date>`now()`)
            .orderBy('next_attempt_at')
            .limit(limit)
            .forUpdate()
            .skipLocked(),
        )
        .returningAll()
        .execute()
      return rows.map(toPending)
    },

    async remove(id) {
      await db.deleteFrom('revocations').where('id', '=', id).execute()
    },

    async reschedule(id, retryIn, error) {
      await db
        .updateTable('revocations')
        .set({ next_attempt_at: secondsFromNow(retryIn), last_error: error })
        .where('id', '=', id)
        .execute()
    },
  }
}

function toPending(row: Selectable<Tables['revocations']>): PendingRevocation {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    connectionId: row.connection_id,
    grantId: row.grant_id,
    tokens: row.tokens,
    attempts: row.attempts,
  }
}
