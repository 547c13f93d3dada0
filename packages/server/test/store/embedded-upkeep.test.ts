import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createEmbeddedUpkeep } from '../../src/adapters/postgres/embedded-upkeep.ts'
import { openDatabase } from '../../src/adapters/postgres/open-database.ts'
import { silentLog } from '../support/stores.ts'
import { directoryWithDatabase } from '../support/vault-process.ts'

async function openEmbedded() {
  const { db, close } = await openDatabase({ directory: join(directoryWithDatabase(), 'database') }, silentLog)
  onTestFinished(close)
  async function ask<T>(question: ReturnType<typeof sql<T>>): Promise<T> {
    const [row] = (await question.execute(db)).rows
    return row as T
  }
  return { db, ask }
}

const { signal } = new AbortController()

test('the write-ahead log of the embedded database begins anew once it has grown, and not before', async () => {
  const { db, ask } = await openEmbedded()
  const logged = async () => {
    const { bytes } = await ask(
      sql<{ bytes: string }>`select pg_current_wal_insert_lsn() - redo_lsn as bytes from pg_control_checkpoint()`,
    )
    return Number(bytes) / 1024 / 1024
  }
  const growBy10 = () =>
    sql`select pg_logical_emit_message(false, 'test', repeat('x', 10 * 1024 * 1024))`.execute(db)
  const segments = async () =>
    (await ask(sql<{ count: number }>`select count(*)::int as count from pg_ls_waldir()`)).count

  await growBy10()
  await sleep(1500)
  expect(await logged()).toBeGreaterThan(10)
  for (let mebibytes = 0; mebibytes < 100; mebibytes += 10) {
    await growBy10()
    await vi.waitFor(async () => expect(await logged()).toBeLessThan(16), { timeout: 3000, interval: 20 })
  }
  // 110 MB went through segments of 16 MB.
  expect(await segments()).toBeLessThan(7)
}, 30_000)

test('what changed and deleted rows of the embedded database took is given free', async () => {
  const { db, ask } = await openEmbedded()
  const { vacuum } = createEmbeddedUpkeep(db, silentLog)
  await sql`create table changing (id int primary key, n int)`.execute(db)
  await sql`create table parted (id int) partition by range (id)`.execute(db)
  await sql`create table parted_1 partition of parted for values from (0) to (1000000)`.execute(db)
  await sql`insert into changing select id, 0 from generate_series(1, 1000) as id`.execute(db)
  await sql`insert into parted select generate_series(1, 1000)`.execute(db)
  const seen = (table: string) =>
    ask(
      sql<{ dead: number; vacuumed: Date | null; analyzed: Date | null }>`
        select n_dead_tup::int as dead, last_vacuum as vacuumed, last_analyze as analyzed from pg_stat_all_tables where relname = ${table}`,
    )

  // The first time all tables but the partitions, however little has changed.
  await vacuum(signal)
  const { vacuumed } = await seen('changing')
  expect(vacuumed).not.toBeNull()
  expect((await seen('parted_1')).vacuumed).toBeNull()

  await sql`update changing set n = 1 where id <= 100`.execute(db)
  // PostgreSQL tells its counts once a second.
  await sleep(1100)
  await vacuum(signal)
  expect((await seen('changing')).vacuumed).toEqual(vacuumed)

  for (const n of [2, 3, 4]) await sql`update changing set n = ${n}`.execute(db)
  await sleep(1100)
  await ask(sql`select 1`)
  expect((await seen('changing')).dead).toBeGreaterThan(250)
  await vacuum(signal)
  expect((await seen('changing')).dead).toBe(0)
  expect((await seen('changing')).vacuumed).not.toEqual(vacuumed)
  expect(await seen('parted_1')).toEqual({ dead: 0, vacuumed: null, analyzed: null })
}, 30_000)

test('one table that cannot be vacuumed is said, and the others are', async () => {
  const { db, ask } = await openEmbedded()
  const log = { ...silentLog, warn: vi.fn() }
  await sql`create table a_broken (id int)`.execute(db)
  await sql`create function fail(int) returns int immutable language sql as 'select 1 / ($1 - 1)'`.execute(db)
  await sql`insert into a_broken values (2)`.execute(db)
  await sql`create index on a_broken (fail(id))`.execute(db)
  await sql`create or replace function fail(int) returns int immutable language sql as 'select 1 / ($1 - $1)'`.execute(
    db,
  )
  await sql`create table b_good (id int)`.execute(db)
  await createEmbeddedUpkeep(db, log).vacuum(signal)
  expect(log.warn.mock.calls).toMatchObject([[{ table: 'public.a_broken' }, expect.any(String)]])
  const seen = await ask(
    sql<{ last_vacuum: unknown }>`select last_vacuum from pg_stat_all_tables where relname = 'b_good'`,
  )
  expect(seen.last_vacuum).not.toBeNull()
})

test('rows that are old are marked so in partitions too, and that a database is too old is said', async () => {
  const { db, ask } = await openEmbedded()
  const log = { ...silentLog, error: vi.fn() }
  await sql`create table parted (id int) partition by range (id)`.execute(db)
  await sql`create table parted_1 partition of parted for values from (0) to (1000000)`.execute(db)
  for (let id = 0; id < 30; id++) await sql`insert into parted values (${id})`.execute(db)
  const seen = () =>
    ask(sql<{ last_vacuum: unknown }>`select last_vacuum from pg_stat_all_tables where relname = 'parted_1'`)
  const limits = { log: 1e9, smallTable: 0, old: 1000, tooOld: 1000 }
  await createEmbeddedUpkeep(db, log, limits).vacuum(signal)
  expect((await seen()).last_vacuum).toBeNull()
  expect(log.error).not.toHaveBeenCalled()
  await createEmbeddedUpkeep(db, log, { ...limits, old: 20, tooOld: 20 }).vacuum(signal)
  expect((await seen()).last_vacuum).not.toBeNull()
  expect(log.error).toHaveBeenCalledWith(
    { transactions: expect.any(Number) },
    expect.stringContaining('PostgreSQL'),
  )
})
