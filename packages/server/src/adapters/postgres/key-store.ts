import { type RawBuilder, sql } from 'kysely'
import { places, type SealedColumn } from '../../core/crypto/places.ts'
import type { KeyCounts, KeyStore, WrappedKey } from '../../core/key-port.ts'
import { createDataKeyStore, type DataKeyRow, toDataKey } from './data-key-store.ts'
import type { Database } from './database.ts'
import { isAboutDataKey } from './database-errors.ts'
import { isFormer, usedKeys, workspacesOfUnknown } from './sealed-store.ts'

/** All wrapped keys, for their rotation. */
export function createKeyStore(db: Database): KeyStore {
  return {
    insert: createDataKeyStore(db).insert,

    async listWrapped({ notBy, after, limit }) {
      const { rows } = await sql<DataKeyRow & { kind: WrappedKey['kind'] }>`
        select * from (
          select 'data' as kind, id, workspace_id::text, version, kek_id, wrapped from data_keys
          union all select 'audit', id, purpose, 1, kek_id, wrapped from audit_keys
        ) as keys
        where (kind, id) > (${after?.kind ?? ''}, ${after?.id ?? nobody}::uuid)
          and (${notBy ?? null}::text is null or kek_id <> ${notBy ?? null})
        order by kind, id limit ${limit}`.execute(db)
      return rows.map((row) => ({ ...toDataKey(row), kind: row.kind }))
    },

    async rewrap({ kind, id, wrapped }, again) {
      const { numUpdatedRows } = await db
        .updateTable(kind === 'data' ? 'data_keys' : 'audit_keys')
        .set({ kek_id: again.kekId, wrapped: again.wrapped })
        .where('id', '=', id)
        .where('wrapped', '=', wrapped)
        .executeTakeFirst()
      return numUpdatedRows === 1n
    },

    async listNewest({ workspace, after, limit }) {
      const rows = await db
        .selectFrom('data_keys')
        .innerJoin('workspaces', 'workspaces.id', 'data_keys.workspace_id')
        .selectAll('data_keys')
        .select(sql<number>`extract(epoch from now() - data_keys.created_at)::float`.as('age'))
        .where(sql<boolean>`not ${isFormer}`)
        .where('workspace_id', '>', after ?? nobody)
        .$if(workspace !== undefined, (query) => query.where('workspaces.name', '=', workspace ?? ''))
        .orderBy('workspace_id')
        .limit(limit)
        .execute()
      return rows.map((row) => ({ dataKey: toDataKey(row), age: row.age }))
    },

    async dropUnused(seconds) {
      await setUnused(sql`null`, sql`unused_since is not null and not ${isUnused}`)
      await setUnused(sql`now()`, sql`unused_since is null and ${isFormer} and ${isUnused}`)
      const { rows } = await sql<{ id: string; due: boolean }>`
        select id, unused_since < now() - make_interval(secs => ${seconds})
          and workspace_id not in (${ofEach(workspacesOfUnknown)}) as due
        from data_keys where unused_since is not null order by id`.execute(db)
      let dropped = 0
      for (const { id, due } of rows) if (due && (await drop(id))) dropped++
      return { dropped, waiting: rows.length - dropped }
    },

    async count() {
      const { rows } = await sql<Omit<KeyCounts, 'wrapped' | 'mostUses'> & { mostUses: string }>`
        select count(*) filter (where not former)::integer as workspaces,
          count(*) filter (where former)::integer as former,
          count(*) filter (where former and unused)::integer as unused,
          min(created_at) filter (where not former) as "oldestNewest",
          coalesce(max(uses) filter (where not former), 0) as "mostUses"
        from (select *, ${isFormer} as former, ${isUnused} as unused from data_keys) as keys`.execute(db)
      const wrapped = await sql<KeyCounts['wrapped'][number]>`
        select kek_id as "kekId", count(*) filter (where kind = 'data')::integer as "dataKeys",
          count(*) filter (where kind = 'audit')::integer as "auditKeys"
        from (select 'data' as kind, kek_id from data_keys union all select 'audit', kek_id from audit_keys) as keys
        group by kek_id order by kek_id`.execute(db)
      const [counts] = rows
      if (!counts) throw new Error('a count without a row')
      return { ...counts, mostUses: Number(counts.mostUses), wrapped: wrapped.rows }
    },

    async countWrapped(notBy) {
      const { rows } = await sql<{ count: number }>`
        select ((select count(*) from data_keys where kek_id <> ${notBy})
          + (select count(*) from audit_keys where kek_id <> ${notBy}))::integer as count`.execute(db)
      return rows[0]?.count ?? 0
    },
  }

  /** In one order, and without waiting for whoever does the same: two that wait for each other would wait for ever. */
  async function setUnused(since: RawBuilder<unknown>, where: RawBuilder<unknown>): Promise<void> {
    await sql`update data_keys set unused_since = ${since}
      where id in (select id from data_keys where ${where} order by id for update skip locked)`.execute(db)
  }

  /** Whatever was found before: when something is sealed with it by now, the database refuses. */
  async function drop(id: string): Promise<boolean> {
    try {
      const { numAffectedRows } = await sql`
        delete from data_keys where id = ${id} and unused_since is not null and ${isFormer}`.execute(db)
      return numAffectedRows === 1n
    } catch (error) {
      if (isAboutDataKey(error)) return false
      throw error
    }
  }
}

/** Sorts before every id. */
const nobody = '00000000-0000-0000-0000-000000000000'

/** Nothing is sealed with the data key at hand. */
const isUnused = sql<boolean>`id not in (${ofEach(usedKeys)})`

function ofEach(query: (column: SealedColumn) => RawBuilder<unknown>) {
  const all = Object.values(places).map((column) => sql`(${query(column)})`)
  return sql.join(all, sql` union all `)
}
