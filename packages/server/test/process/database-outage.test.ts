import pg from 'pg'
import { expect, inject, onTestFinished, test } from 'vitest'
import { temporaryDatabase } from '../support/temporary-database.ts'
import { startVaultProcess, temporaryDirectory } from '../support/vault-process.ts'
import { startWire } from '../support/wire.ts'

test('without its database the vault answers 503 with Retry-After, and recovers by itself', async () => {
  const database = temporaryDatabase(inject('postgresUrl'))
  await database.create()
  onTestFinished(database.drop)
  const wire = await startWire(database.url)
  onTestFinished(wire.close)
  const vault = await startVaultProcess({ AUTHCONN_DATA_DIR: temporaryDirectory(), DATABASE_URL: wire.url })
  expect((await vault.call('listConnections')).status).toBe(200)

  wire.cut()
  for (let i = 0; i < 3; i++) {
    const answer = await vault.call('listConnections')
    expect(answer).toMatchObject({ status: 503, body: { code: 'database_unavailable' } })
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
  }
  expect(await vault.call('getReadiness')).toMatchObject({ status: 503, body: { code: 'not_ready' } })
  expect((await vault.call('getHealth')).status).toBe(200)

  wire.mend()
  await expect.poll(async () => (await vault.call('getReadiness')).status).toBe(200)
  expect((await vault.call('listConnections')).status).toBe(200)
  expect(await vault.end('SIGTERM')).toBe(0)
})

test('a connection that breaks while a query runs on it fails that request alone', async () => {
  const database = temporaryDatabase(inject('postgresUrl'))
  await database.create()
  onTestFinished(database.drop)
  const wire = await startWire(database.url)
  onTestFinished(wire.close)
  const vault = await startVaultProcess({ AUTHCONN_DATA_DIR: temporaryDirectory(), DATABASE_URL: wire.url })
  const direct = new pg.Client({ connectionString: database.url })
  await direct.connect()
  onTestFinished(() => direct.end())
  // Inside a transaction, what others are doing stays as it was when it was first looked at.
  const watching = new pg.Client({ connectionString: database.url })
  await watching.connect()
  onTestFinished(() => watching.end())

  for (const breakIt of [wire.cut, () => direct.query(terminateWaiting)]) {
    await direct.query('begin; lock table callers in access exclusive mode')
    const waiting = vault.call('listConnections')
    await expect.poll(async () => (await watching.query(countWaiting)).rows).toEqual([{ waiting: 1 }])
    await breakIt()
    expect(await waiting).toMatchObject({ status: 503, body: { code: 'database_unavailable' } })
    await direct.query('rollback')
    wire.mend()
    await expect.poll(async () => (await vault.call('listConnections')).status).toBe(200)
  }
  expect(await vault.end('SIGTERM')).toBe(0)
})

const ofVault = `from pg_stat_activity where datname = current_database() and application_name = 'authconn' and wait_event_type = 'Lock'`
/** Of requests, which look for their caller: what the vault does by itself may wait as well. */
const countWaiting = `select count(*)::int as waiting ${ofVault} and query like 'select "callers"%'`
const terminateWaiting = `select pg_terminate_backend(pid) ${ofVault}`
