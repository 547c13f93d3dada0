import { type Selectable, sql } from 'kysely'
import type { Caller, CallerStore } from '../../core/ports.ts'
import type { Database, Tables } from './database.ts'

export function createCallerStore(db: Database): CallerStore {
  return {
    async findLive(keyHash) {
      const row = await db
        .selectFrom('callers')
        .selectAll()
        .where('key_hash', '=', keyHash)
        .where('revoked_at', 'is', null)
        .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', sql<Date>`now()`)]))
        .executeTakeFirst()
      return row && toCaller(row)
    },

    async insert(caller, keyHash) {
      const row = await db
        .insertInto('callers')
        .values({
          id: caller.id,
          workspace_id: caller.workspaceId,
          name: caller.name,
          key_hash: keyHash,
          permissions: caller.permissions,
          connections: caller.connections,
          subjects: caller.subjects,
          expires_at: caller.expiresAt,
        })
        .onConflict((conflict) =>
          conflict.columns(['workspace_id', 'name']).where('revoked_at', 'is', null).doNothing(),
        )
        .returningAll()
        .executeTakeFirst()
      return row && toCaller(row)
    },

    async find(workspaceId, id) {
      const row = await db
        .selectFrom('callers')
        .selectAll()
        .where('workspace_id', '=', workspaceId)
        .where('id', '=', id)
        .executeTakeFirst()
      return row && toCaller(row)
    },

    async list(workspaceId, page) {
      const rows = await db
        .selectFrom('callers')
        .selectAll()
        .where('workspace_id', '=', workspaceId)
        .where('revoked_at', 'is', null)
        .where('name', '>', page.after ?? '')
        .orderBy('name')
        .limit(page.limit)
        .execute()
      return rows.map(toCaller)
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
  }
}

function toCaller(row: Selectable<Tables['callers']>): Caller {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    name: row.name,
    permissions: row.permissions,
    connections: row.connections,
    subjects: row.subjects,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
  }
}
