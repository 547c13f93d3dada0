import { type Selectable, sql } from 'kysely'
import type { DataKey, DataKeyStore } from '../../core/ports.ts'
import type { Database, Tables } from './database.ts'

export function createDataKeyStore(db: Database): DataKeyStore {
  return {
    async getCurrent(workspaceId) {
      const row = await db
        .selectFrom('data_keys')
        .selectAll()
        .where('workspace_id', '=', workspaceId)
        .orderBy('version', 'desc')
        .limit(1)
        .executeTakeFirstOrThrow()
      return toDataKey(row)
    },
    async find(id) {
      const row = await db.selectFrom('data_keys').selectAll().where('id', '=', id).executeTakeFirst()
      return row && toDataKey(row)
    },
    async reserve(id, uses, most) {
      const { numUpdatedRows } = await db
        .updateTable('data_keys')
        .set({ uses: sql<string>`uses + ${uses}::bigint` })
        .where('id', '=', id)
        .where(sql<boolean>`uses + ${uses}::bigint <= ${most}::bigint`)
        .executeTakeFirst()
      return numUpdatedRows === 1n
    },
    async insert(dataKey) {
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('data_keys')
        .values(dataKeyColumns(dataKey))
        .onConflict((conflict) => conflict.columns(['workspace_id', 'version']).doNothing())
        .executeTakeFirst()
      return numInsertedOrUpdatedRows === 1n
    },
  }
}

export function dataKeyColumns(dataKey: DataKey) {
  return {
    id: dataKey.id,
    workspace_id: dataKey.workspaceId,
    version: dataKey.version,
    kek_id: dataKey.kekId,
    wrapped: dataKey.wrapped,
  }
}

/** One data key for each key-encryption key in use; none before the first start. For the check of the keys at start. */
export async function sampleDataKeys(db: Database): Promise<DataKey[]> {
  const { rows } = await sql<{ found: boolean }>`select to_regclass('data_keys') is not null as found`.execute(db)
  if (!rows[0]?.found) return []
  const samples = await db.selectFrom('data_keys').selectAll().distinctOn('kek_id').orderBy('kek_id').execute()
  return samples.map(toDataKey)
}

function toDataKey(row: Selectable<Tables['data_keys']>): DataKey {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    version: row.version,
    kekId: row.kek_id,
    wrapped: row.wrapped,
  }
}
