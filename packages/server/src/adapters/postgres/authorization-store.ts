import { sql } from 'kysely'
import type { AuthorizationStore } from '../../core/ports.ts'
import { toAuthorization } from './authorization-row.ts'
import { claimPolls, isCallerUnended } from './claim-polls.ts'
import type { Database } from './database.ts'
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
      const { numUpdatedRows } = await takeUp(db, id)
        .where('claimed_at', 'is', null)
        .where('expires_at', '>', sql<Date>`now()`)
        .executeTakeFirst()
      return numUpdatedRows === 1n
    },

    async hold(id) {
      // Not whether its time is over: the tokens are there, and the person has consented in time.
      const { numUpdatedRows } = await takeUp(db, id)
        .where(({ exists, selectFrom }) =>
          exists(
            selectFrom('callers')
              .select('id')
              .whereRef('callers.id', '=', 'authorizations.caller_id')
              .where(isCallerUnended),
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
        // Locked as well: a revocation that runs now is either seen here, or sees the grant that is there by then.
        const caller = await trx
          .selectFrom('authorizations')
          .innerJoin('callers', 'callers.id', 'authorizations.caller_id')
          .select('callers.id')
          .where('authorizations.id', '=', id)
          .where(isCallerUnended)
          .forShare('callers')
          .executeTakeFirst()
        if (!caller) return (await isCompleted(trx, id)) ? 'stored' : 'cancelled'
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

function polling(interval: number | undefined) {
  if (interval === undefined) return { poll_interval: null, next_poll_at: null }
  return { poll_interval: interval, next_poll_at: secondsFromNow(interval) }
}

/**
 * Whether a former attempt went through whose confirmation was lost: an authorization is claimed once, or held by whom its
 * device code has given the tokens, so nobody else completes it. The tokens say nothing of that, as they may have been refreshed or sealed again since.
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

/** The connection is looked at here too: between its deletion and this moment no exchange may begin. */
function takeUp(db: Database, id: string) {
  return db
    .updateTable('authorizations')
    .set({ claimed_at: sql<Date>`now()` })
    .where('id', '=', id)
    .where('status', '=', 'pending')
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('connections')
          .select('id')
          .whereRef('connections.id', '=', 'authorizations.connection_id')
          .where('deleted_at', 'is', null),
      ),
    )
}
