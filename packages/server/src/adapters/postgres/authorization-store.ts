import { type Selectable, sql } from 'kysely'
import type { Authorization, AuthorizationStore } from '../../core/ports.ts'
import type { Database, Tables } from './database.ts'
import { tellDataKeyGone } from './database-errors.ts'
import { fromIssue, secondsFromNow, tokenColumns } from './grant-sql.ts'

export function createAuthorizationStore(db: Database): AuthorizationStore {
  return {
    async insert(authorization, timeout, pollInterval) {
      const row = await db
        .insertInto('authorizations')
        .values({
          id: authorization.id,
          workspace_id: authorization.workspaceId,
          connection_id: authorization.connectionId,
          caller_id: authorization.callerId,
          subject: authorization.subject,
          status: 'pending',
          redirect_uri: authorization.redirectUri,
          scopes: authorization.scopes,
          state_hash: authorization.stateHash,
          secrets: authorization.secrets,
          ...polling(pollInterval),
          expires_at: secondsFromNow(timeout),
        })
        .returning('expires_at')
        .executeTakeFirstOrThrow()
      return { expiresAt: row.expires_at }
    },

    async find(workspaceId, id, callerId) {
      const row = await db
        .selectFrom('authorizations')
        .innerJoin('connections', 'connections.id', 'authorizations.connection_id')
        .selectAll('authorizations')
        .select(['connections.name', sql<boolean>`authorizations.expires_at <= now()`.as('expired')])
        .where('authorizations.workspace_id', '=', workspaceId)
        .where('authorizations.id', '=', id)
        .where('authorizations.caller_id', '=', callerId)
        .executeTakeFirst()
      return row && toAuthorization(row)
    },

    async claim(id) {
      // The connection is looked at here too: between its deletion and this moment no exchange may begin.
      const { numUpdatedRows } = await pending(db, id)
        .set({ claimed_at: sql<Date>`now()` })
        .where('claimed_at', 'is', null)
        .where(({ exists, selectFrom }) =>
          exists(
            selectFrom('connections')
              .select('id')
              .whereRef('connections.id', '=', 'authorizations.connection_id')
              .where('deleted_at', 'is', null),
          ),
        )
        .executeTakeFirst()
      return numUpdatedRows === 1n
    },

    async complete(id, grantId, tokens, about) {
      const completion = db.transaction().execute(async (trx) => {
        // Locked in share mode so that a deletion that runs now either sees these tokens or stops them.
        const connection = await trx
          .selectFrom('connections')
          .innerJoin('grants', 'grants.connection_id', 'connections.id')
          .select('connections.id')
          .where('grants.id', '=', grantId)
          .where('connections.deleted_at', 'is', null)
          .forShare('connections')
          .executeTakeFirst()
        if (!connection) return 'connection_gone'
        // First of the two writes: it waits for a cancellation that is under way, and then sees it.
        const completed = await trx
          .updateTable('authorizations')
          .set({ status: 'completed', secrets: null })
          .where('id', '=', id)
          .where('status', '=', 'pending')
          .returning('redirect_uri')
          .executeTakeFirst()
        if (!completed) return (await isCompleted(trx, id)) ? 'stored' : 'cancelled'
        await trx
          .updateTable('grants')
          .set({
            ...tokenColumns(tokens),
            refresh_token: tokens.refreshToken,
            refresh_token_expires_at: tokens.refreshToken && fromIssue(tokens.refreshTokenExpiresIn, tokens.age),
            scope: tokens.scope,
            account: about?.account ? JSON.stringify(about.account) : null,
            metadata: JSON.stringify(about?.metadata ?? {}),
            redirect_uri: completed.redirect_uri,
            last_refreshed_at: null,
          })
          .where('id', '=', grantId)
          .execute()
        return 'stored'
      })
      return tellDataKeyGone(completion)
    },

    async fail(id, reason, code) {
      const { numUpdatedRows } = await db
        .updateTable('authorizations')
        .set({ status: 'failed', failure: reason, failure_code: code ?? null, secrets: null })
        .where('id', '=', id)
        .where('status', '=', 'pending')
        .executeTakeFirst()
      return numUpdatedRows === 1n
    },

    claimPolls: (limit, seconds) => claimPolls(db, limit, seconds),

    async pollAgain(id, interval) {
      await db
        .updateTable('authorizations')
        .set(polling(interval))
        .where('id', '=', id)
        .where('status', '=', 'pending')
        .execute()
    },

    async purgeEnded() {
      const { numDeletedRows } = await db
        .deleteFrom('authorizations')
        .where('expires_at', '<', secondsFromNow(-86_400))
        .executeTakeFirst()
      return Number(numDeletedRows)
    },
  }
}

/**
 * Takes authorizations whose provider is to be asked now, for one question each: nobody else gets them before that is over,
 * nor sooner than the provider allows, should the process that took them die. Those of callers that may not call any more are
 * left to expire.
 */
async function claimPolls(
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
        .where('authorizations.next_poll_at', '<=', sql<Date>`now()`)
        .where('authorizations.expires_at', '>', sql<Date>`now()`)
        .where('connections.deleted_at', 'is', null)
        .where('callers.revoked_at', 'is', null)
        .where((eb) =>
          eb.or([eb('callers.expires_at', 'is', null), eb('callers.expires_at', '>', sql<Date>`now()`)]),
        )
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

function polling(interval: number | undefined) {
  if (interval === undefined) return { poll_interval: null, next_poll_at: null }
  return { poll_interval: interval, next_poll_at: secondsFromNow(interval) }
}

function toAuthorization(
  row: Selectable<Tables['authorizations']> & { name: string; expired: boolean },
): Authorization {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    connectionId: row.connection_id,
    connectionName: row.name,
    callerId: row.caller_id,
    subject: row.subject,
    status: row.status === 'pending' && row.expired ? 'expired' : row.status,
    redirectUri: row.redirect_uri,
    scopes: row.scopes,
    stateHash: row.state_hash,
    secrets: row.secrets,
    failure: row.failure,
    failureCode: row.failure_code,
    expiresAt: row.expires_at,
  }
}

/**
 * Whether a former attempt went through whose confirmation was lost: an authorization is claimed once, so nobody else
 * completes it. The tokens say nothing of that, as they may have been refreshed or sealed again since.
 */
async function isCompleted(db: Database, id: string): Promise<boolean> {
  const row = await db
    .selectFrom('authorizations')
    .select('id')
    .where('id', '=', id)
    .where('status', '=', 'completed')
    .executeTakeFirst()
  return row !== undefined
}

function pending(db: Database, id: string) {
  return db
    .updateTable('authorizations')
    .where('id', '=', id)
    .where('status', '=', 'pending')
    .where('expires_at', '>', sql<Date>`now()`)
}
