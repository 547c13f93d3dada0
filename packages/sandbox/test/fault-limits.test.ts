import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { endpoints, type Sandbox, startSandbox } from '../src/index.ts'
import { readTokens } from './support/client.ts'
import { createFaultyClient } from './support/faulty-client.ts'

let sandbox: Sandbox
let client: ReturnType<typeof createFaultyClient>
beforeAll(async () => {
  sandbox = await startSandbox({ signingAlg: 'ES256' })
  client = createFaultyClient(sandbox)
})
afterEach(() => sandbox.faults.clear())
afterAll(() => sandbox.stop())

describe('at every endpoint', () => {
  test.each(['revocation', 'introspection'] as const)('%s can be unavailable', async (endpoint) => {
    sandbox.faults.set(endpoint, { kind: 'status', status: 503 }, { times: 1 })
    expect((await client.post(endpoint, { token: 'x' })).status).toBe(503)
    expect((await client.post(endpoint, { token: 'x' })).status).toBe(200)
  })

  test.each(['discovery', 'jwks', 'userinfo', 'authorization'] as const)(
    '%s can be unavailable',
    async (endpoint) => {
      sandbox.faults.set(endpoint, { kind: 'status', status: 503 }, { times: 1 })
      expect((await fetch(`${sandbox.issuer}${endpoints[endpoint]}`)).status).toBe(503)
      expect((await fetch(`${sandbox.issuer}${endpoints[endpoint]}`)).status).not.toBe(503)
    },
  )
})

describe('limits', () => {
  test('times: the answer is good again afterwards', async () => {
    const { refresh_token } = await client.signIn()
    sandbox.faults.set('token', { kind: 'status' }, { times: 2 })
    const statuses = []
    for (let i = 0; i < 3; i++) statuses.push((await client.refresh(refresh_token)).status)
    expect(statuses).toEqual([500, 500, 200])
    expect(sandbox.faults.list()).toEqual([])
  })

  test('times: an answer that has nothing to edit does not count', async () => {
    const { refresh_token } = await client.signIn()
    sandbox.faults.set('token', { kind: 'no_expires_in' }, { times: 1 })
    expect((await client.refresh('unknown')).status).toBe(400)
    expect(await readTokens(await client.refresh(refresh_token))).not.toHaveProperty('expires_in')
  })

  test('grantType: other requests pass', async () => {
    sandbox.faults.set('token', { kind: 'status', status: 503 }, { grantType: 'refresh_token' })
    const { refresh_token } = await client.signIn()
    expect((await client.refresh(refresh_token)).status).toBe(503)
  })

  test('processed: the provider works before the fault answers', async () => {
    const { before, answer } = await client.refreshUnder({ kind: 'status', status: 502, processed: true })
    expect(answer.status).toBe(502)
    expect(await client.isUsedUp(before)).toBe(true)
  })

  test('clearing lets a hanging request go on', async () => {
    const { refresh_token } = await client.signIn()
    sandbox.faults.set('token', { kind: 'hang' }, { times: 1 })
    const pending = client.refresh(refresh_token)
    await sleep(50)
    sandbox.faults.clear('token')
    expect((await pending).status).toBe(200)
  })

  test.each([{ kind: 'hang' }, { kind: 'slow', delayMs: 10_000 }] as const)(
    'clearing $kind lets one of the requests with the same refresh token through',
    async (fault) => {
      const { refresh_token } = await client.signIn()
      sandbox.faults.set('token', fault)
      const pending = Array.from({ length: 8 }, () => client.refresh(refresh_token))
      await vi.waitUntil(() => sandbox.stats.concurrentTokenRequests.now === 8)
      sandbox.faults.clear('token')
      const statuses = (await Promise.all(pending)).map(({ status }) => status)
      expect(statuses.toSorted()).toEqual([200, ...Array(7).fill(400)])
    },
  )
})
