import { sql } from 'kysely'
import type { ConnectionStore, ConnectionWithGrant } from '../../core/ports.ts'
import type { Database } from './database.ts'
import { secondsFromNow } from './grant-sql.ts'
import { connectionColumns, joinedGrantColumns, toConnection, toJoinedGrant } from './rows.ts'
import { unblock } from './set-free.ts'

export function createConnectionStore(db: Database): ConnectionStore {
  return {
    async insert(connection) {
      const row = await db
        .insertInto('connections')
        .values({
          id: connection.id,
          workspace_id: connection.workspaceId,
          name: connection.name,
          provider: connection.provider,
          provider_url: connection.providerUrl,
          issuer_url: connection.issuerUrl,
          issuer: connection.issuer,
          client_id: connection.clientId,
          client_secret: connection.clientSecret,
          token_endpoint_auth_method: connection.tokenEndpointAuthMethod,
          client_key: toJson(connection.clientKey),
          grant_type: connection.grantType,
          token_request: toJson(connection.tokenRequest),
          endpoints: JSON.stringify(connection.endpoints),
          iss_parameter_supported: connection.issParameterSupported,
          authorization_parameters: JSON.stringify(connection.authorizationParameters),
        })
        .onConflict((conflict) =>
          conflict.columns(['workspace_id', 'name']).where('deleted_at', 'is', null).doNothing(),
        )
        .returning(connectionColumns)
        .executeTakeFirst()
      return row && toConnection(row)
    },

    async find(workspaceId, name, subject = '') {
      const row = await withGrant(db, subject)
        .where('connections.workspace_id', '=', workspaceId)
        .where('connections.name', '=', name)
        .executeTakeFirst()
      return row && toConnectionWithGrant(row)
    },

    async update(id, { tokenEndpointAuthMethod, clientSecret }, spreadSeconds) {
      const former = clientSecret?.former
      return db.transaction().execute(async (trx) => {
        const { numUpdatedRows } = await trx
          .updateTable('connections')
          .set({
            updated_at: sql<Date>`now()`,
            ...(tokenEndpointAuthMethod ? { token_endpoint_auth_method: tokenEndpointAuthMethod } : {}),
            ...(clientSecret && {
              client_secret: clientSecret.current,
              client_key: toJson(clientSecret.clientKey),
              former_client_secret: former?.sealed ?? null,
              former_client_secret_until: former ? secondsFromNow(former.seconds) : null,
            }),
          })
          .where('id', '=', id)
          .where('deleted_at', 'is', null)
          .executeTakeFirst()
        if (numUpdatedRows !== 1n) return false
        await unblock(trx, id, spreadSeconds)
        return true
      })
    },

    async forgetFormerSecrets() {
      const { numUpdatedRows } = await db
        .updateTable('connections')
        .set({ former_client_secret: null, former_client_secret_until: null })
        .where('former_client_secret_until', '<=', sql<Date>`now()`)
        .executeTakeFirst()
      return Number(numUpdatedRows)
    },

    async findByIds(ids) {
      const rows = await db
        .selectFrom('connections')
        .select(connectionColumns)
        .where('id', '=', sql<string>`any(${ids}::uuid[])`)
        .where('deleted_at', 'is', null)
        .execute()
      return rows.map(toConnection)
    },

    async findById(id) {
      const row = await db
        .selectFrom('connections')
        .select(connectionColumns)
        .where('id', '=', id)
        .executeTakeFirst()
      return row && toConnection(row)
    },

    async list(workspaceId, patterns, page) {
      const rows = await withGrant(db, '')
        .where('connections.workspace_id', '=', workspaceId)
        // Names and patterns hold no character that LIKE gives a meaning to, but for our own *.
        .where(
          sql<boolean>`connections.name like any(${patterns.map((pattern) => pattern.replaceAll('*', '%'))}::text[])`,
        )
        .where('connections.name', '>', page.after ?? '')
        .orderBy('connections.name')
        .limit(page.limit)
        .execute()
      return rows.map(toConnectionWithGrant)
    },

    async markDeleted(id) {
      const { numUpdatedRows } = await db
        .updateTable('connections')
        .set({ deleted_at: sql<Date>`now()` })
        .where('id', '=', id)
        .where('deleted_at', 'is', null)
        .executeTakeFirst()
      return numUpdatedRows === 1n
    },

    async listHalfDeleted(limit) {
      const rows = await db
        .selectFrom('connections')
        .select(connectionColumns)
        .where('deleted_at', 'is not', null)
        .where(({ exists }) => exists(tokensOfConnection(db)))
        .limit(limit)
        .execute()
      return rows.map(toConnection)
    },

    async purgeDeleted() {
      const { numDeletedRows } = await db
        .deleteFrom('connections')
        .where('deleted_at', 'is not', null)
        .where(({ not, exists, selectFrom }) =>
          not(exists(selectFrom('revocations').select('id').whereRef('connection_id', '=', 'connections.id'))),
        )
        // What a crash left half deleted still has tokens to revoke first.
        .where(({ not, exists }) => not(exists(tokensOfConnection(db))))
        .executeTakeFirst()
      return Number(numDeletedRows)
    },
  }
}

function toJson(value: object | null): string | null {
  return value && JSON.stringify(value)
}

/** Grants of the connection at hand that still hold tokens. */
function tokensOfConnection(db: Database) {
  return db
    .selectFrom('grants')
    .select('grants.id')
    .where(sql<boolean>`grants.connection_id = connections.id`)
    .where((eb) => eb.or([eb('access_token', 'is not', null), eb('refresh_token', 'is not', null)]))
}

/** Live connections with the grant of one subject, in one statement and by one clock. */
function withGrant(db: Database, subject: string) {
  return db
    .selectFrom('connections')
    .leftJoin('grants', (join) =>
      join.onRef('grants.connection_id', '=', 'connections.id').on('grants.subject', '=', subject),
    )
    .select(connectionColumns)
    .select(sql<Date>`now()`.as('now'))
    .select(({ selectFrom }) =>
      selectFrom('revocations')
        .select(sql<number>`count(*)::integer`.as('count'))
        .whereRef('revocations.connection_id', '=', 'connections.id')
        .as('pending_revocations'),
    )
    .select(joinedGrantColumns)
    .where('connections.deleted_at', 'is', null)
}

type Row = Awaited<ReturnType<ReturnType<typeof withGrant>['executeTakeFirstOrThrow']>>

function toConnectionWithGrant(row: Row): ConnectionWithGrant {
  return {
    connection: toConnection(row),
    grant: row.grant_id === null ? undefined : toJoinedGrant(row),
    pendingRevocations: row.pending_revocations ?? 0,
    now: row.now,
  }
}
