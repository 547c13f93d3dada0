import { randomUUID } from 'node:crypto'
import { type SelectQueryBuilder, sql } from 'kysely'
import type { GrantStore, Lease } from '../../core/ports.ts'
import type { Database, Tables } from './database.ts'
import { errorNow, secondsFromNow, tokenColumns } from './grant-sql.ts'
import { isAmong } from './patterns.ts'
import { toGrant } from './rows.ts'

export function createGrantStore(db: Database): GrantStore {
  return {
    async ensure(connection, subject) {
      await db
        .insertInto('grants')
        .columns(['id', 'workspace_id', 'connection_id', 'subject', 'status'])
        // From the connection's row, so that there is no grant of a connection that is gone.
        .expression((eb) =>
          eb
            .selectFrom('connections')
            .select([
              sql<string>`${randomUUID()}::uuid`.as('id'),
              'connections.workspace_id',
              'connections.id as connection_id',
              sql<string>`${subject}::text`.as('subject'),
              sql<'pending'>`'pending'`.as('status'),
            ])
            .where('connections.id', '=', connection.id)
            .where('connections.deleted_at', 'is', null),
        )
        .onConflict((conflict) => conflict.columns(['connection_id', 'subject']).doNothing())
        .execute()
      return db
        .selectFrom('grants')
        .select('id')
        .where('connection_id', '=', connection.id)
        .where('subject', '=', subject)
        .executeTakeFirst()
    },

    async findById(id) {
      const row = await db
        .selectFrom('grants')
        .selectAll()
        .select([sql<Date>`now()`.as('now'), sql<boolean>`coalesce(lease_until > now(), false)`.as('leased')])
        .where('id', '=', id)
        .executeTakeFirst()
      return row && { grant: toGrant(row), now: row.now, leased: row.leased }
    },

    async list(connectionId, subjects, page) {
      const rows = await db
        .selectFrom('grants')
        .selectAll()
        .select(sql<Date>`now()`.as('now'))
        .where('connection_id', '=', connectionId)
        // The application grant's subject is empty and comes first.
        .$if(subjects !== null, (query) => query.where(isAmong('subject', ['', ...(subjects ?? [])])))
        .$if(page.after !== undefined, (query) => query.where('subject', '>', page.after ?? ''))
        .orderBy('subject')
        .limit(page.limit)
        .execute()
      return { grants: rows.map(toGrant), now: rows[0]?.now ?? new Date() }
    },

    async listWithTokens(connectionId) {
      const rows = await holdingTokens(db.selectFrom('grants').where('connection_id', '=', connectionId))
        .selectAll()
        .orderBy('subject')
        .execute()
      return rows.map(toGrant)
    },

    async takeLease(lease, seconds) {
      const { numUpdatedRows } = await db
        .updateTable('grants')
        .set({ lease_owner: lease.owner, lease_until: secondsFromNow(seconds) })
        .where('id', '=', lease.grantId)
        .where('generation', '=', lease.generation)
        .where('status', '=', 'active')
        .where((eb) => eb.or([eb('lease_until', 'is', null), eb('lease_until', '<=', sql<Date>`now()`)]))
        .where((eb) => eb.or([eb('retry_at', 'is', null), eb('retry_at', '<=', sql<Date>`now()`)]))
        .executeTakeFirst()
      return numUpdatedRows === 1n
    },

    async saveRefreshed(lease, tokens) {
      const { numUpdatedRows } = await underLease(db, lease)
        .set({
          ...tokenColumns(tokens),
          last_refreshed_at: sql<Date>`now()`,
          // RFC 6749 section 6: without a new refresh token the old one stays in use; so does the scope.
          ...(tokens.refreshToken ? { refresh_token: tokens.refreshToken } : {}),
          ...(tokens.scope === null ? {} : { scope: tokens.scope }),
        })
        .executeTakeFirst()
      return numUpdatedRows === 1n
    },

    async saveFailure(lease, { error, status, retryIn }) {
      const { numUpdatedRows } = await underLease(db, lease)
        .set((eb) => ({
          status,
          lease_owner: null,
          lease_until: null,
          failure_count: eb('failure_count', '+', 1),
          retry_at: retryIn > 0 ? secondsFromNow(retryIn) : null,
          last_error: errorNow(error),
          updated_at: sql<Date>`now()`,
          ...(status === 'expired' ? { generation: eb('generation', '+', 1) } : {}),
        }))
        .executeTakeFirst()
      return numUpdatedRows === 1n
    },

    async revoke(grant, revocation) {
      return db.transaction().execute(async (trx) => {
        const { numUpdatedRows } = await trx
          .updateTable('grants')
          .set({
            status: 'revoked',
            access_token: null,
            refresh_token: null,
            expires_at: null,
            lifetime: null,
            generation: grant.generation + 1,
            lease_owner: null,
            lease_until: null,
            retry_at: null,
            failure_count: 0,
            last_error: null,
            updated_at: sql<Date>`now()`,
          })
          .where('id', '=', grant.id)
          .where('generation', '=', grant.generation)
          .executeTakeFirst()
        if (numUpdatedRows !== 1n) return false
        if (revocation) {
          await trx
            .insertInto('revocations')
            .values({
              id: revocation.id,
              workspace_id: grant.workspaceId,
              connection_id: grant.connectionId,
              grant_id: grant.id,
              tokens: revocation.tokens,
            })
            .execute()
        }
        return true
      })
    },

    async setLastError(id, error) {
      await db
        .updateTable('grants')
        .set({ last_error: error && errorNow(error) })
        .where('id', '=', id)
        // It tells of a revocation; a grant that was authorized again since has other worries.
        .where('status', '=', 'revoked')
        .execute()
    },
  }
}

function underLease(db: Database, lease: Lease) {
  return db
    .updateTable('grants')
    .where('id', '=', lease.grantId)
    .where('generation', '=', lease.generation)
    .where('lease_owner', '=', lease.owner)
}

function holdingTokens<O>(query: SelectQueryBuilder<Tables, 'grants', O>) {
  return query.where((eb) => eb.or([eb('access_token', 'is not', null), eb('refresh_token', 'is not', null)]))
}
