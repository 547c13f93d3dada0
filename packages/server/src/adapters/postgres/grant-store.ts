import { randomUUID } from 'node:crypto'
import type { GrantStatus } from '@authconn/shared'
import { type SelectQueryBuilder, sql } from 'kysely'
import type { GrantStore } from '../../core/grant-port.ts'
import { claimDue, putBack } from './claim-due.ts'
import type { Database, Tables } from './database.ts'
import { insertEvents } from './event-store.ts'
import { errorNow, isUnleased, noTrouble } from './grant-sql.ts'
import { endAllLeases, renewLeases, takeLease } from './leases.ts'
import { isAmong, startingWith } from './patterns.ts'
import { grantColumns, toGrant } from './rows.ts'
import { saveFailure, saveRefreshed } from './save-attempt.ts'
import { reopen, setFree, unblock } from './set-free.ts'

export function createGrantStore(db: Database): GrantStore {
  return {
    takeLease: (lease, seconds, options) => takeLease(db, lease, seconds, options),
    renewLeases: (leases, seconds) => renewLeases(db, leases, seconds),
    endAllLeases: () => endAllLeases(db),
    saveRefreshed: (lease, tokens, options) => saveRefreshed(db, lease, tokens, options),
    saveFailure: (lease, failure) => saveFailure(db, lease, failure),
    claimDue: (claim) => claimDue(db, claim),
    putBack: (grant, seconds) => putBack(db, grant, seconds),

    async ensure(connection, subject) {
      await db
        .insertInto('grants')
        .columns(['id', 'workspace_id', 'connection_id', 'subject', 'status', 'renewable'])
        // From the connection's row, so that there is no grant of a connection that is gone.
        .expression((eb) =>
          eb
            .selectFrom('connections')
            .select([
              sql<string>`${randomUUID()}::uuid`.as('id'),
              'connections.workspace_id',
              'connections.id as connection_id',
              sql<string>`${subject}::text`.as('subject'),
              // Where nobody is asked, there is nothing to wait for but the first token.
              sql<GrantStatus>`case when ${byItself} then 'active' else 'pending' end`.as('status'),
              byItself.as('renewable'),
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

    reopen: (id) => reopen(db, id),

    async findById(id) {
      const row = await db
        .selectFrom('grants')
        .select(grantColumns)
        .select([sql<Date>`now()`.as('now'), sql<boolean>`coalesce(lease_until > now(), false)`.as('leased')])
        .where('id', '=', id)
        .executeTakeFirst()
      return row && { grant: toGrant(row), now: row.now, leased: row.leased }
    },

    async list(connectionId, subjects, page) {
      const rows = await db
        .selectFrom('grants')
        .select(grantColumns)
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
        .select(grantColumns)
        .orderBy('subject')
        .execute()
      return rows.map(toGrant)
    },

    async countDue() {
      const { due } = await db
        .selectFrom('grants')
        .select(sql<number>`count(*)::integer`.as('due'))
        .where('status', '=', 'active')
        .where('refresh_due_at', '<=', sql<Date>`now()`)
        .where(isUnleased)
        .executeTakeFirstOrThrow()
      return due
    },

    async expire(grant, reason) {
      return db.transaction().execute(async (trx) => {
        const expired = await trx
          .updateTable('grants')
          .set({
            ...noTrouble,
            status: 'expired',
            generation: grant.generation + 1,
            refresh_due_at: null,
            last_error: errorNow(reason),
            updated_at: sql<Date>`now()`,
          })
          .where('id', '=', grant.id)
          .where('generation', '=', grant.generation)
          .where('status', '=', 'active')
          .executeTakeFirst()
        if (expired.numUpdatedRows !== 1n) return false
        await insertEvents(trx, grant.id, [{ type: 'grant.expired', data: reason }])
        return true
      })
    },

    bringForward: (origin, spreadSeconds) =>
      setFree(
        db,
        sql`select grants.id from grants join connections on connections.id = grants.connection_id
          where grants.status = 'active' and grants.retry_at > now() and grants.retry_at < now() + interval '310 seconds'
            and grants.last_error ->> 'code' = 'provider_unavailable'
            and connections.endpoints ->> 'token_endpoint' like ${startingWith(origin)}`,
        { spreadSeconds, atOnce: false },
      ),

    unblock: (connectionId, spreadSeconds) => unblock(db, connectionId, spreadSeconds),

    async touch(ids) {
      // Neither waits for a row nor holds one that another replica waits for: both may be writing the same ones.
      await sql`update grants set last_used_at = now() where id in (select id from grants where id = any(${ids}::uuid[])
        and coalesce(last_used_at < now() - interval '55 minutes', true) for update skip locked)`.execute(db)
    },

    async revoke(grant, revocation) {
      return db.transaction().execute(async (trx) => {
        const { numUpdatedRows } = await trx
          .updateTable('grants')
          .set({
            ...noTrouble,
            status: 'revoked',
            access_token: null,
            refresh_token: null,
            renewable: false,
            redirect_uri: null,
            account: null,
            metadata: '{}',
            expires_at: null,
            expiry_assumed: false,
            lifetime: null,
            refresh_token_expires_at: null,
            refresh_due_at: null,
            keep_alive_at: null,
            generation: grant.generation + 1,
            updated_at: sql<Date>`now()`,
          })
          .where('id', '=', grant.id)
          .where('generation', '=', grant.generation)
          .executeTakeFirst()
        if (numUpdatedRows !== 1n) return false
        await insertEvents(trx, grant.id, [{ type: 'grant.revoked', data: {} }])
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

    async setAccount(grant, account) {
      const { numUpdatedRows } = await db
        .updateTable('grants')
        .set({ account: JSON.stringify(account) })
        .where('id', '=', grant.id)
        .where('generation', '=', grant.generation)
        .executeTakeFirst()
      return numUpdatedRows === 1n
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

/** Whether the connection at hand gets its tokens without anybody's consent. */
const byItself = sql<boolean>`connections.grant_type <> 'authorization_code'`

function holdingTokens<O>(query: SelectQueryBuilder<Tables, 'grants', O>) {
  return query.where((eb) => eb.or([eb('access_token', 'is not', null), eb('refresh_token', 'is not', null)]))
}
