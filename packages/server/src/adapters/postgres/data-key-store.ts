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

/**
 * One key for each key-encryption key in use, if only by the audit log; none before the first start. For the check of the
 * keys at start.
 */
export async function sampleDataKeys(db: Database): Promise<DataKey[]> {
  const { rows } = await sql<Record<'data' | 'audit', boolean>>`
    select to_regclass('data_keys') is not null as data, to_regclass('audit_keys') is not null as audit`.execute(
    db,
  )
  const [found] = rows
  if (!found?.data) return []
  const samples = await db
    .selectFrom('data_keys')
    .select(keyColumns)
    .distinctOn('kek_id')
    .orderBy('kek_id')
    .execute()
  const audit = found.audit ? await db.selectFrom('audit_keys').selectAll().execute() : []
  const others = audit.filter((key) => !samples.some((sample) => sample.kek_id === key.kek_id))
  return [...samples.map(toDataKey), ...others.map(toAuditKey)]
}

/** As wrapped like a data key: its purpose stands where a data key names its workspace. */
export function toAuditKey(row: Selectable<Tables['audit_keys']>): DataKey {
  return { id: row.id, workspaceId: row.purpose, version: 1, kekId: row.kek_id, wrapped: row.wrapped }
}

/** What a data key is made of, in every version of the schema. */
const keyColumns = ['id', 'workspace_id', 'version', 'kek_id', 'wrapped'] as const

export type DataKeyRow = Pick<Selectable<Tables['data_keys']>, (typeof keyColumns)[number]>

export function toDataKey(row: DataKeyRow): DataKey {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    version: row.version,
    kekId: row.kek_id,
    wrapped: row.wrapped,
  }
}
