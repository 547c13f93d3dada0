import { fork } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, inject, onTestFinished, test } from 'vitest'
import { createAuditStore } from '../../src/adapters/postgres/audit-store.ts'
import { firstStart } from '../../src/adapters/postgres/first-start.ts'
import { createTokenLookup } from '../../src/adapters/postgres/look-up-tokens.ts'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import type { AuditRow } from '../../src/core/audit-port.ts'
import { findPgbouncer, startPgbouncer } from '../support/pgbouncer.ts'
import { openStores, openTestDatabase } from '../support/stores.ts'
import { temporaryDatabase } from '../support/temporary-database.ts'

const database = temporaryDatabase(inject('postgresUrl'))
beforeAll(database.create)
afterAll(database.drop)

beforeEach((context) => context.skip(findPgbouncer() === undefined, 'PgBouncer is not installed'))

async function startBouncer(poolSize: number) {
  const bouncer = await startPgbouncer(database.url, { poolSize })
  onTestFinished(bouncer.stop)
  return bouncer
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  // It outlives its server where the test is about that.
  client.on('error', () => undefined)
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

const serverConnection = async (client: pg.Client): Promise<number> =>
  (await client.query('select pg_backend_pid() as pid')).rows[0].pid

test('gives the transactions of one client to different server connections', async () => {
  const { url } = await startBouncer(2)
  const [one, other] = [await connect(url), await connect(url)]
  await one.query('begin')
  const first = await serverConnection(one)
  expect(await serverConnection(one)).toBe(first)
  await one.query('commit')

  await other.query('begin')
  expect(await serverConnection(other)).toBe(first)
  await one.query('begin')
  expect(await serverConnection(one)).not.toBe(first)
  await one.query('commit')
  await other.query('commit')
})

test('refuses a wrong password', async () => {
  const url = new URL((await startBouncer(1)).url)
  url.password = 'wrong'
  await expect(connect(url.href)).rejects.toThrow('SASL authentication failed')
})

test('has the stores work through it, with more of their connections than it has to the server', async () => {
  const { url } = await startBouncer(2)
  const { stores, close } = await openStores({ kind: 'postgres', url })
  onTestFinished(close)
  expect(await migrate(stores.db)).toEqual([])
  expect(await firstStart(stores.db, stores.keks, () => {})).toBeUndefined()

  await Promise.all(
    Array.from({ length: 20 }, async () => {
      const connection = await stores.newConnection()
      const grant = await stores.newActiveGrant(connection, { expiresIn: 3600 })
      const found = await stores.connections.find(connection.workspaceId, connection.name)
      expect(found).toMatchObject({ connection, grant: { id: grant.id, accessToken: grant.accessToken } })
    }),
  )
  // Not by going round it: the vault names its connections, and the pool of its own would hold ten.
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from pg_stat_activity
    where datname = current_database() and application_name = 'authconn'`.execute(stores.db)
  expect(rows).toEqual([{ count: 2 }])
})

test('looks tokens up and puts fetches on record through one that knows nothing of prepared statements', async () => {
  const { url } = await startBouncer(3)
  const { db, close } = await openTestDatabase({ kind: 'postgres', url })
  onTestFinished(close)
  await migrate(db)
  const store = createAuditStore(db)
  const lookUp = createTokenLookup(db)
  const question = { keyHash: randomBytes(32).toString('hex'), connection: 'one', subject: '', address: null }
  const row = (number: number): AuditRow => ({
    ...{ stream: randomUUID(), number, at: new Date(), workspaceId: null, actor: null, actorName: null },
    ...{ action: 'getToken', connection: null, target: null, subject: null, outcome: 'denied', reason: null },
    ...{ address: null, requestId: 'request-1', detail: null, mac: randomBytes(32) },
  })
  for (let round = 0; round < 20; round++) {
    await Promise.all(
      Array.from({ length: 10 }, async (_, n) => {
        expect(await lookUp([question])).toHaveLength(1)
        await store.append([row(n + 1)])
      }),
    )
  }
  const { rows } = await sql<{ count: number }>`select count(*)::int as count from audit_log`.execute(db)
  expect(rows).toEqual([{ count: 200 }])
})

test('ends with the process that started it, even by SIGKILL, and leaves no password behind', async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'authconn-test-'))
  onTestFinished(() => rmSync(scratch, { recursive: true, force: true }))
  // The account that root lends it to must get through.
  chmodSync(scratch, 0o755)
  const starter = fork(fileURLToPath(new URL('../support/start-pgbouncer.process.ts', import.meta.url)), {
    execArgv: [],
    env: { ...process.env, TMPDIR: scratch, DATABASE_URL: database.url },
  })
  onTestFinished(() => void starter.kill('SIGKILL'))
  const [url] = await once(starter, 'message')
  const files = readdirSync(scratch, { recursive: true, encoding: 'utf8' }).map((name) => join(scratch, name))
  expect(files.map((path) => statSync(path).mode & 0o077)).toEqual([0, 0, 0])

  const client = await connect(url)
  const lost = new Promise<void>((resolve) => client.once('end', resolve))
  starter.kill('SIGKILL')
  await lost
  await expect(connect(url)).rejects.toThrow('ECONN')
  await expect.poll(() => readdirSync(scratch)).toEqual([])
})
