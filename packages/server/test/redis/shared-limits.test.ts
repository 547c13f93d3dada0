import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, inject, onTestFinished, test, vi } from 'vitest'
import { createApiKey } from '../../src/core/callers/api-key.ts'
import { createWindowCounter } from '../../src/core/limits/window-counter.ts'
import { findRedis, startRedis } from '../support/redis.ts'
import { temporaryDatabase } from '../support/temporary-database.ts'
import { startVaultProcess, temporaryDirectory } from '../support/vault-process.ts'

const database = temporaryDatabase(inject('postgresUrl'))
beforeAll(database.create)
afterAll(database.drop)

beforeEach((context) => context.skip(findRedis() === undefined, 'Redis is not installed'))

type Vault = Awaited<ReturnType<typeof startVaultProcess>>

/** Two processes over one database and one Redis, and the key of the administrator that the first has made. */
async function startReplicas(environment: Record<string, string>) {
  const redis = await startRedis()
  onTestFinished(redis.stop)
  const start = () =>
    startVaultProcess({
      AUTHCONN_DATA_DIR: temporaryDirectory(),
      DATABASE_URL: database.url,
      AUTHCONN_KEK: Buffer.alloc(32, 5).toString('base64'),
      AUTHCONN_REDIS_URL: redis.url,
      ...environment,
    })
  const first = await start()
  adminKey ??= first.credentials().api_key
  return { redis, first, second: await start() }
}

// The database keeps it from the first test on.
let adminKey: string | undefined

/** Waits until the window of a key has so many milliseconds left that it does not end during a test. */
async function roomInWindow(key: string, windowMs: number, needed: number): Promise<void> {
  const { endsAt } = createWindowCounter({ windowMs, isShared: false }).add(key, Date.now())
  const left = endsAt - Date.now()
  if (left < needed) await sleep(left + 10)
}

test('an address that one replica refuses is refused by the others as soon as it fails there', async () => {
  const { first, second } = await startReplicas({ AUTHCONN_AUTH_FAILURE_LIMIT: '5' })
  const fail = async (vault: Vault) => (await vault.call('listConnections', {}, createApiKey().reveal())).status
  await roomInWindow('127.0.0.1', 60_000, 6000)

  for (let at = 0; at < 5; at++) expect(await fail(first)).toBe(401)
  expect(await fail(first)).toBe(429)
  await sleep(300)
  expect(await fail(second)).toBe(401)
  await vi.waitFor(async () => expect(await fail(second)).toBe(429), { timeout: 3000, interval: 250 })
})

test('a caller has one limit for all replicas, and one for each while Redis is away', async () => {
  const { redis, first, second } = await startReplicas({ AUTHCONN_RATE_LIMIT: '40' })
  const name = `shared-${Date.now()}`
  const made = await first.call('createCaller', { body: { name, permissions: ['connection:read'] } }, adminKey)
  const key: string = made.body.api_key
  const ask = async (vault: Vault, times: number) => {
    const statuses: number[] = []
    for (let at = 0; at < times; at++) statuses.push((await vault.call('listConnections', {}, key)).status)
    return statuses
  }
  await roomInWindow(createHash('sha256').update(key).digest('hex'), 10_000, 5000)

  expect(new Set(await ask(first, 39))).toEqual(new Set([200]))
  await sleep(300)
  expect(await ask(second, 1)).toEqual([200])
  for (const vault of [second, first]) {
    await vi.waitFor(async () => expect(await ask(vault, 1)).toEqual([429]), { timeout: 3000, interval: 100 })
  }

  await redis.stop()
  await roomInWindow(createHash('sha256').update(key).digest('hex'), 10_000, 10_000 - 10)
  expect(new Set([...(await ask(first, 30)), ...(await ask(second, 30))])).toEqual(new Set([200]))
  await vi.waitFor(() => expect(first.output().stdout).toMatch(/Redis does not answer/))
})

test('a vault starts and serves with a Redis that is not there', async () => {
  const redis = await startRedis()
  await redis.stop()
  const vault = await startVaultProcess({
    AUTHCONN_DATA_DIR: temporaryDirectory(),
    DATABASE_URL: database.url,
    AUTHCONN_KEK: Buffer.alloc(32, 5).toString('base64'),
    AUTHCONN_REDIS_URL: redis.url,
  })
  expect((await vault.call('listConnections', {}, adminKey)).status).toBe(200)
  await vi.waitFor(() => expect(vault.output().stdout).toMatch(/ECONNREFUSED.*Redis does not answer/))
  const { username, password } = new URL(redis.url)
  expect(vault.output().stdout).not.toContain(password || username)
  expect(await vault.end('SIGTERM')).toBe(0)
})
