import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest'
import { isDatabaseUnavailable } from '../../src/adapters/postgres/database-errors.ts'
import { openDatabase } from '../../src/adapters/postgres/open-database.ts'
import { silentLog } from '../support/stores.ts'
import { temporaryDatabase } from '../support/temporary-database.ts'
import { startWire } from '../support/wire.ts'

const database = temporaryDatabase(inject('postgresUrl'))
beforeAll(database.create)
afterAll(database.drop)

const select1 = sql<{ one: number }>`select 1 as one`

async function openThroughWire(poolSize: number) {
  const wire = await startWire(database.url)
  onTestFinished(wire.close)
  const opened = await openDatabase({ url: wire.url, poolSize, queryTimeoutMs: 300 }, silentLog)
  onTestFinished(opened.close)
  return { wire, ...opened }
}

/** What a promise was rejected with. */
const failure = (work: Promise<unknown>) => work.then(() => undefined).catch((error: unknown) => error)

test('a database that falls silent fails its queries in time and gives their connections up', async () => {
  const { wire, db } = await openThroughWire(2)
  await Promise.all([select1.execute(db), select1.execute(db)])
  wire.silence()
  const since = performance.now()
  const failures = await Promise.all([failure(select1.execute(db)), failure(select1.execute(db))])
  expect(performance.now() - since).toBeLessThan(1500)
  expect(failures.map(isDatabaseUnavailable)).toEqual([true, true])

  wire.mend()
  expect((await select1.execute(db)).rows).toEqual([{ one: 1 }])
})

test('a transaction ends with the query that had no answer, without waiting for its rollback as well', async () => {
  const { wire, db } = await openThroughWire(1)
  const since = performance.now()
  const work = db.transaction().execute(async (trx) => {
    wire.silence()
    await select1.execute(trx)
  })
  expect(isDatabaseUnavailable(await failure(work))).toBe(true)
  expect(performance.now() - since).toBeLessThan(550)

  wire.mend()
  expect((await select1.execute(db)).rows).toEqual([{ one: 1 }])
})

test('a backend that is terminated in a transaction fails that transaction alone', async () => {
  const { db } = await openThroughWire(1)
  const direct = new pg.Client({ connectionString: database.url })
  await direct.connect()
  onTestFinished(() => direct.end())
  const work = db.transaction().execute(async (trx) => {
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx)
    const terminating = direct.query('select pg_terminate_backend($1)', [rows[0]?.pid])
    await Promise.all([sql`select pg_sleep(0.25)`.execute(trx), terminating])
  })
  expect(isDatabaseUnavailable(await failure(work))).toBe(true)
  expect((await select1.execute(db)).rows).toEqual([{ one: 1 }])
})

test('a migration takes as long as it needs', async () => {
  const { withoutTimeLimit } = await openThroughWire(1)
  await withoutTimeLimit((db) => sql`select pg_sleep(0.6)`.execute(db))
})

test('a query that the database refuses leaves its connection for the next', async () => {
  const { db } = await openThroughWire(1)
  const backend = sql<{ pid: number }>`select pg_backend_pid() as pid`
  const { rows: before } = await backend.execute(db)
  const refused = [sql`select 1 / 0`, sql`select nothing from nowhere`, sql`${'x'} is no statement`]
  for (const query of refused) {
    const error = await failure(query.execute(db))
    expect(error).toBeInstanceOf(Error)
    expect(isDatabaseUnavailable(error)).toBe(false)
  }
  expect((await backend.execute(db)).rows).toEqual(before)
})
