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
    async insert(revocation) {
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('revocations')
        .columns(['id', 'workspace_id', 'connection_id', 'grant_id', 'tokens'])
        // From the grant's row: with the connection it goes, and nobody could revoke for it.
        .expression((eb) =>
          eb
            .selectFrom('grants')
            .select([
              sql<string>`${revocation.id}::uuid`.as('id'),
              'workspace_id',
              'connection_id',
              'grants.id as grant_id',
              sql<Uint8Array>`${revocation.tokens}::bytea`.as('tokens'),
            ])
            .where('grants.id', '=', revocation.grantId),
        )
        .executeTakeFirst()
      return numInsertedOrUpdatedRows === 1n
    },

    async findForGrant(grantId) {
      const row = await db
        .selectFrom('revocations')
        .select('last_error')
        .where('grant_id', '=', grantId)
        .orderBy('created_at', 'desc')
        .limit(1)
        .executeTakeFirst()
      return row && { lastError: row.last_error }
    },

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

    async claimDue(seconds) {
      const row = await db
        .updateTable('revocations')
        .set(claiming(seconds))
        .where('id', 'in', (eb) =>
          eb
            .selectFrom('revocations')
            .select('id')
            .where('next_attempt_at', '<=', sql<Date>`now()`)
            .orderBy('next_attempt_at')
            .limit(1)
            .forUpdate()
            .skipLocked(),
        )
        .returningAll()
        .executeTakeFirst()
      return row && toPending(row)
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
