import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { migrate, pendingMigrations } from '../../src/adapters/postgres/migrate.ts'
import { migrations } from '../../src/adapters/postgres/migrations/index.ts'
import type { OpenDatabase } from '../../src/adapters/postgres/open-database.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { openTestDatabase } from '../support/stores.ts'
import { temporaryDatabase } from '../support/temporary-database.ts'

describeEachDatabase('migrations', (database) => {
  let opened: OpenDatabase
  beforeAll(async () => {
    opened = await openTestDatabase(database)
  })
  afterAll(() => opened.close())

  test('leave nothing behind when one of them fails, and run on the next try', async () => {
    const broken = {
      ...migrations,
      '0002-broken': {
        async up() {
          throw new Error('the process died here')
        },
      },
    }
    await expect(migrate(opened.db, broken)).rejects.toThrow('the process died here')
    const table = await sql<{ found: boolean }>`select to_regclass('connections') is not null as found`.execute(
      opened.db,
    )
    expect(table.rows).toEqual([{ found: false }])

    expect(await pendingMigrations(opened.db)).toEqual(Object.keys(migrations))
    expect(await migrate(opened.db)).toEqual(Object.keys(migrations))
  })

  test('run once', async () => {
    expect(await migrate(opened.db)).toEqual([])
  })

  test('index every reference to what is deleted, and what is about to be', async () => {
    const { rows } = await sql<{ column: string }>`
      select format('%s.%s', conrelid::regclass, attname) as column
      from pg_constraint
      join pg_attribute on attrelid = conrelid and attnum = conkey[1]
      where contype = 'f' and confrelid in ('connections'::regclass, 'grants'::regclass)
        and not exists (select from pg_index where indrelid = conrelid and indkey[0] = conkey[1])`.execute(
      opened.db,
    )
    expect(rows).toEqual([])
    const indexes = await sql<{ indexdef: string }>`
      select indexdef from pg_indexes where tablename = 'connections'`.execute(opened.db)
    expect(indexes.rows.map((row) => row.indexdef).join()).toContain('(deleted_at) WHERE (deleted_at IS NOT NULL)')
  })

  test('of a newer version are refused by name', async () => {
    await sql`insert into kysely_migration (name, timestamp) values ('9999-future', '')`.execute(opened.db)
    await expect(migrate(opened.db)).rejects.toMatchObject({ code: 'schema_too_new', message: /9999-future/ })
  })
})

describe('replicas that start at once on an empty PostgreSQL', () => {
  const database = temporaryDatabase(inject('postgresUrl'))
  beforeAll(database.create)
  afterAll(database.drop)

  test('migrate it once between them, without a session-level lock', async () => {
    const replicas = await Promise.all(
      Array.from({ length: 6 }, () => openTestDatabase({ kind: 'postgres', url: database.url })),
    )
    const ran = await Promise.all(replicas.map(({ db }) => migrate(db)))
    expect(ran.filter((names) => names.length > 0)).toEqual([Object.keys(migrations)])
    const first = replicas[0]
    const locks = first && (await sql`select 1 from pg_locks where locktype = 'advisory'`.execute(first.db))
    expect(locks?.rows).toEqual([])
    await Promise.all(replicas.map((replica) => replica.close()))
  })
})
