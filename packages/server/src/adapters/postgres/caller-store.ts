import { type Selectable, type SqlBool, sql } from 'kysely'
import type { Caller, CallerStore } from '../../core/ports.ts'
import type { Database, Tables } from './database.ts'
import { secondsFromNow } from './grant-sql.ts'

export function createCallerStore(db: Database): CallerStore {
  return {
    async findLive(keyHash, address) {
      const row = await callers(db)
        .innerJoin('caller_keys', 'caller_keys.caller_id', 'callers.id')
        .select(isAtHome(address).as('at_home'))
        .where('caller_keys.key_hash', '=', keyHash)
        .where((eb) => eb.or([eb('caller_keys.ends_at', 'is', null), eb('caller_keys.ends_at', '>', now)]))
        .where('callers.revoked_at', 'is', null)
        .where((eb) => eb.or([eb('callers.expires_at', 'is', null), eb('callers.expires_at', '>', now)]))
        .executeTakeFirst()
      return row && { caller: toCaller(row), atHome: row.at_home }
    },

    async insert(caller, keyHash) {
      const row = await db
        .with('made', (query) =>
          query
            .insertInto('callers')
            .values({
              id: caller.id,
              workspace_id: caller.workspaceId,
              name: caller.name,
              permissions: caller.permissions,
              connections: caller.connections,
              subjects: caller.subjects,
              addresses: caller.addresses,
              expires_at: caller.expiresAt,
            })
            .onConflict((conflict) =>
              conflict
                .columns(['workspace_id', 'name'])
                .where('revoked_at', 'is', null)
                .where('trust_id', 'is', null)
                .doNothing(),
            )
            .returningAll(),
        )
        // Both or neither: a caller without a key would hold its name for nothing.
        .with('its_key', (query) =>
          query
            .insertInto('caller_keys')
            .columns(['key_hash', 'caller_id'])
            .expression((eb) => eb.selectFrom('made').select([eb.val(keyHash).as('key_hash'), 'made.id'])),
        )
        .selectFrom('made')
        .selectAll()
        .executeTakeFirst()
      return row && toCaller(row)
    },

    async find(workspaceId, id) {
      const row = await callers(db).where('workspace_id', '=', workspaceId).where('id', '=', id).executeTakeFirst()
      return row && toCaller(row)
    },

    async list(workspaceId, page) {
      const rows = await callers(db)
        .where('workspace_id', '=', workspaceId)
        .where('revoked_at', 'is', null)
        .where('trust_id', 'is', null)
        .where('name', '>', page.after ?? '')
        .orderBy('name')
        .limit(page.limit)
        .execute()
      return rows.map(toCaller)
    },

    async listOfTrust(workspaceId, trust, { after, limit }) {
      const rows = await callers(db)
        .innerJoin('trusts', 'trusts.id', 'callers.trust_id')
        .where('trusts.workspace_id', '=', workspaceId)
        .where('trusts.name', '=', trust)
        .where('callers.revoked_at', 'is', null)
        .$if(after !== undefined, (query) =>
          query.where(
            sql<SqlBool>`(callers.created_at, callers.id) < (select created_at, id from callers
              where id::text = ${after} and workspace_id = ${workspaceId})`,
          ),
        )
        .orderBy('callers.created_at', 'desc')
        .orderBy('callers.id', 'desc')
        .limit(limit)
        .execute()
      return rows.map(toCaller)
    },

    async rotate(workspaceId, id, keyHash, overlapSeconds) {
      return db.transaction().execute(async (trx) => {
        // Locked, so that of two rotations at once the later one ends the key of the earlier.
        const row = await trx
          .selectFrom('callers')
          .selectAll()
          .where('workspace_id', '=', workspaceId)
          .where('id', '=', id)
          .where('revoked_at', 'is', null)
          .forUpdate()
          .executeTakeFirst()
        if (!row) return undefined
        const ended = await trx
          .updateTable('caller_keys')
          .set({
            ends_at: sql<Date>`case when ends_at is null then ${secondsFromNow(overlapSeconds)} else now() end`,
          })
          .where('caller_id', '=', id)
          .where((eb) => eb.or([eb('ends_at', 'is', null), eb('ends_at', '>', now)]))
          .returning(sql<Date | null>`case when ends_at > now() then ends_at end`.as('until'))
          .execute()
        await trx.insertInto('caller_keys').values({ key_hash: keyHash, caller_id: id }).execute()
        return toCaller({ ...row, former_key_until: ended.find(({ until }) => until !== null)?.until ?? null })
      })
    },

    async revoke(workspaceId, id) {
      const row = await db
        .updateTable('callers')
        .set({ revoked_at: sql<Date>`coalesce(revoked_at, now())` })
        .where('workspace_id', '=', workspaceId)
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirst()
      return row && toCaller(row)
    },

    async touch(id) {
      await db
        .updateTable('callers')
        .set({ last_used_at: now })
        .where('id', '=', id)
        .where((eb) => eb.or([eb('last_used_at', 'is', null), eb('last_used_at', '<', secondsFromNow(-3600))]))
        .execute()
    },

    async purgeEndedKeys() {
      const { numDeletedRows } = await db.deleteFrom('caller_keys').where('ends_at', '<=', now).executeTakeFirst()
      return Number(numDeletedRows)
    },
  }
}

const now = sql<Date>`now()`

function callers(db: Database) {
  return db
    .selectFrom('callers')
    .selectAll('callers')
    .select((eb) =>
      eb
        .selectFrom('caller_keys as former')
        .select((of) => of.fn.max('former.ends_at').as('until'))
        .whereRef('former.caller_id', '=', 'callers.id')
        .where('former.ends_at', '>', now)
        .as('former_key_until'),
    )
}

/** Ranges are in text as the vault writes them, so that the cast cannot fail. Of an unknown address nothing is known. */
function isAtHome(address: string | null) {
  return sql<boolean>`callers.addresses is null
    or coalesce(${address}::inet <<= any(callers.addresses::inet[]), false)`
}

export function toCaller(row: Selectable<Tables['callers']> & { former_key_until?: Date | null }): Caller {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    name: row.name,
    permissions: row.permissions,
    connections: row.connections,
    subjects: row.subjects,
    addresses: row.addresses,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    lastUsedAt: row.last_used_at,
    formerKeyUntil: row.revoked_at === null ? (row.former_key_until ?? null) : null,
    trustId: row.trust_id,
    identity: row.identity,
  }
}
