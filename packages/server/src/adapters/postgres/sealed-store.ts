import { type RawBuilder, sql } from 'kysely'
import { places, type SealedColumn } from '../../core/crypto/places.ts'
import type { SealedStore, SealedValue, ValueCounts } from '../../core/key-port.ts'
import { type DataKeyRow, toDataKey } from './data-key-store.ts'
import type { Database } from './database.ts'

/** The sealed values of all columns, by the data keys they are sealed with. */
export function createSealedStore(db: Database): SealedStore {
  return {
    async listFormerKeys(column) {
      const { rows } = await sql<DataKeyRow & { former_for: number }>`
        select *, (select extract(epoch from now() - max(newer.created_at)) from data_keys as newer
          where newer.workspace_id = data_keys.workspace_id)::float as former_for
        from data_keys where ${isFormer} and id in (${usedKeys(column)}) order by id`.execute(db)
      return rows.map((row) => ({ dataKey: toDataKey(row), formerFor: row.former_for }))
    },

    async listSealedWith(column, dataKeyId, { after, upTo, limit }) {
      const end = upTo === undefined ? sql`` : sql`and id <= ${upTo}`
      const { rows } = await sql<Row>`
        ${selectValues(column)} where ${dataKeyOf(column)} = ${dataKeyId} and id > ${after} ${end}
        order by id limit ${limit}`.execute(db)
      return rows.map(toValue)
    },

    async list(column, { after, limit }) {
      const { rows } = await sql<Row>`
        ${selectValues(column)} where ${bytesOf(column)} is not null and id > ${after}
        order by id limit ${limit}`.execute(db)
      return rows.map(toValue)
    },

    async find(column, row) {
      const { rows } = await sql<Row>`
        ${selectValues(column)} where id = ${row} and ${bytesOf(column)} is not null`.execute(db)
      return rows.map(toValue)[0]
    },

    async replace(column, changes) {
      if (changes.length === 0) return 0
      const table = sql.table(column.table)
      // Locked first, without a wait: a statement that holds some rows and waits for others could wait for ever.
      const { numAffectedRows } = await sql`
        with change as (
          select * from unnest(${changes.map(({ row }) => row)}::uuid[], ${changes.map(({ from }) => from)}::bytea[],
            ${changes.map(({ to }) => to)}::bytea[]) as change (id, sealed, again)
        ),
        unchanged as (
          select ${table}.id, change.again from ${table} join change on change.id = ${table}.id
          where ${table}.${bytesOf(column)} = change.sealed
          order by ${table}.id for update of ${table} skip locked
        )
        update ${table} set ${bytesOf(column)} = unchanged.again from unchanged where ${table}.id = unchanged.id`.execute(
        db,
      )
      return Number(numAffectedRows)
    },

    async count(column) {
      const { rows } = await sql<ValueCounts>`
        select
          coalesce(sum(count) filter (where isFormer is false), 0)::integer as newest,
          coalesce(sum(count) filter (where isFormer), 0)::integer as former,
          coalesce(sum(count) filter (where isFormer is null), 0)::integer as unknown
        from (select ${dataKeyOf(column)} as id, count(*) from ${sql.table(column.table)}
          where ${bytesOf(column)} is not null group by 1) as sealed
        left join (select id, ${isFormer} as isFormer from data_keys) as known on known.id = sealed.id`.execute(db)
      return rows[0] ?? { newest: 0, former: 0, unknown: 0 }
    },

    async countFormer() {
      const counts = Object.values(places).map(
        (column) => sql`(select count(*) from ${sql.table(column.table)}
          where ${dataKeyOf(column)} = any(array(select id from former)))`,
      )
      const { rows } = await sql<{ count: number }>`
        with former as materialized (select id from data_keys where ${isFormer})
        select (${sql.join(counts, sql` + `)})::integer as count`.execute(db)
      return rows[0]?.count ?? 0
    },
  }
}

/** Whether the data key at hand is followed by a newer one. */
export const isFormer = sql<boolean>`exists (select from data_keys as newer
  where newer.workspace_id = data_keys.workspace_id and newer.version > data_keys.version)`

/**
 * The data keys that something in the column is sealed with, by stepping from one to the next in the index. Asked key by
 * key, the planner reads the whole table for each that is in no use, where its statistics know of one key only.
 */
export function usedKeys(column: SealedColumn): RawBuilder<unknown> {
  const [table, dataKey] = [sql.table(column.table), dataKeyOf(column)]
  return sql`with recursive used as (
      (select ${dataKey} as id from ${table} where ${dataKey} is not null order by ${dataKey} limit 1)
      union all
      select (select ${dataKey} from ${table} where ${dataKey} > used.id order by ${dataKey} limit 1)
      from used where used.id is not null
    ) select id from used where id is not null`
}

/** Workspaces with values in the column of which nobody knows with what they were sealed. */
export function workspacesOfUnknown(column: SealedColumn): RawBuilder<unknown> {
  return sql`select workspace_id from ${sql.table(column.table)}
    where ${dataKeyOf(column)} is null and ${bytesOf(column)} is not null`
}

interface Row {
  id: string
  workspace_id: string
  sealed: Uint8Array
}

function selectValues(column: SealedColumn) {
  return sql`select id, workspace_id, ${bytesOf(column)} as sealed from ${sql.table(column.table)}`
}

function toValue({ id, workspace_id, sealed }: Row): SealedValue {
  return { row: id, workspaceId: workspace_id, sealed }
}

function bytesOf({ column }: SealedColumn) {
  return sql.ref(column)
}

function dataKeyOf({ column }: SealedColumn) {
  return sql.ref(`${column}_data_key`)
}
