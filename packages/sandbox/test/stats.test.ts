import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createBusiestSecond } from '../src/busiest-second.ts'
import { type Sandbox, startSandbox } from '../src/index.ts'
import { createClient } from './support/client.ts'

let sandbox: Sandbox
let client: ReturnType<typeof createClient>
beforeEach(async () => {
  sandbox = await startSandbox({ signingAlg: 'ES256' })
  client = createClient(sandbox)
})
afterEach(() => sandbox.stop())

describe('the busiest second', () => {
  test('slides, wherever seconds begin', () => {
    let now = 0
    const busiest = createBusiestSecond(() => now)
    const counts = [900, 950, 1850, 1899, 1901, 1960, 5000].map((time) => {
      now = time
      return busiest.add()
    })
    expect(counts).toEqual([1, 2, 3, 4, 4, 4, 1])
  })

  test('is right after very many events', () => {
    let now = 0
    const busiest = createBusiestSecond(() => now)
    let last = 0
    for (; now < 20_000; now += 0.5) last = busiest.add()
    expect(last).toBe(2000)
  })

  test('counts token requests of every kind and end', async () => {
    const { refresh_token } = await sandbox.mint()
    sandbox.faults.set('token', { kind: 'status', status: 503 }, { times: 1 })
    for (let i = 0; i < 3; i++) await client.refresh(refresh_token)
    await client.post('introspection', { token: refresh_token })
    expect(sandbox.stats.busiestSecond).toBe(3)
  })
})

describe('concurrent token requests', () => {
  const concurrent = () => sandbox.stats.concurrentTokenRequests

  test('count until they are answered', async () => {
    sandbox.faults.set('token', { kind: 'hang' })
    const pending = Array.from({ length: 5 }, () => client.refresh('any'))
    await vi.waitUntil(() => concurrent().now === 5)
    sandbox.faults.clear()
    await Promise.all(pending)
    expect(concurrent()).toEqual({ now: 0, most: 5 })
    await client.refresh('any')
    expect(concurrent()).toEqual({ now: 0, most: 5 })
  })

  test.each(['reset', 'reset_after'] as const)('end with the connection, by %s', async (kind) => {
    sandbox.faults.set('token', { kind })
    await expect(client.refresh('any')).rejects.toThrow()
    await vi.waitUntil(() => concurrent().now === 0)
    expect(concurrent().most).toBe(1)
  })

  test('end when the client goes away', async () => {
    sandbox.faults.set('token', { kind: 'hang' })
    await expect(client.refresh('any', AbortSignal.timeout(100))).rejects.toThrow()
    await vi.waitUntil(() => concurrent().now === 0)
    expect(concurrent().most).toBe(1)
  })
})

test('a reset sets counters to zero, leaves waiting requests, and forgets no family', async () => {
  const { refresh_token } = await sandbox.mint()
  await client.refresh(refresh_token)
  sandbox.faults.set('token', { kind: 'hang' })
  const pending = client.refresh('any')
  await vi.waitUntil(() => sandbox.stats.concurrentTokenRequests.now === 1)
  sandbox.resetStats()
  expect(sandbox.stats).toMatchObject({
    tokenRequests: { authorization_code: 0, refresh_token: 0 },
    busiestSecond: 0,
    concurrentTokenRequests: { now: 1, most: 1 },
  })
  sandbox.faults.clear()
  await pending
  expect(sandbox.stats.concurrentTokenRequests.now).toBe(0)
  expect(sandbox.families.list()).toMatchObject([{ refreshes: 1 }])
})
