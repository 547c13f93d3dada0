import { setTimeout as sleep } from 'node:timers/promises'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { shareCounts } from '../../src/adapters/redis/share-counts.ts'
import { createWindowCounter } from '../../src/core/limits/window-counter.ts'
import { Secret } from '../../src/core/secret.ts'
import { authority } from '../support/certificates.ts'
import { findRedis, startRedis } from '../support/redis.ts'
import type { KeptServer } from '../support/start-kept-server.ts'
import { startTlsWire } from '../support/tls-wire.ts'
import { startWire } from '../support/wire.ts'

let redis: KeptServer | undefined

beforeAll(async () => {
  if (findRedis() !== undefined) redis = await startRedis()
})
afterAll(() => redis?.stop())
beforeEach((context) => context.skip(findRedis() === undefined, 'Redis is not installed'))

/** Something like a vault process that counts, and what it says. */
function startProcess(url = redis?.url ?? '', windowMs = 60_000) {
  const lines: string[] = []
  const note = (values: Record<string, unknown>, message: string) => {
    lines.push([message, values.error instanceof Error ? values.error.message : ''].join(': '))
  }
  const counter = createWindowCounter({ windowMs, isShared: true })
  const sharing = shareCounts({
    url: new Secret(url),
    counters: { test: counter },
    log: { info: note, warn: note, error: note },
  })
  onTestFinished(sharing.stop)
  return { ...counter, add: (key: string) => counter.add(key, Date.now()), lines, stop: sharing.stop }
}

const until = (expectation: () => void) => vi.waitFor(expectation, { timeout: 10_000, interval: 20 })

/** A key that no other test uses, and whose window does not end for a while. */
async function newKey(): Promise<string> {
  for (;;) {
    const key = `key ${Math.random()}`
    const { endsAt } = createWindowCounter({ windowMs: 60_000, isShared: false }).add(key, Date.now())
    if (endsAt - Date.now() > 30_000) return key
  }
}

const countOf = (process: ReturnType<typeof startProcess>, key: string) => process.find(key, Date.now())?.count

test('processes count together, as soon as each has something to say', async () => {
  const [one, other] = [startProcess(), startProcess()]
  const key = await newKey()
  for (let at = 0; at < 10; at++) one.add(key)
  // Not sooner than the first has told.
  await sleep(500)
  other.add(key)
  await until(() => expect(countOf(other, key)).toBe(11))
  one.add(key)
  await until(() => expect(countOf(one, key)).toBe(12))
  expect([...one.lines, ...other.lines]).toEqual([])
})

test('a window begins anew everywhere', async () => {
  const [one, other] = [startProcess(undefined, 2000), startProcess(undefined, 2000)]
  const { endsAt } = one.add('short')
  await until(() => {
    other.add('short')
    expect(countOf(other, 'short')).toBeGreaterThan(1)
  })
  await sleep(Math.max(0, endsAt - Date.now()) + 10)
  one.add('short')
  await sleep(300)
  expect(countOf(one, 'short')).toBeLessThanOrEqual(2)
})

test('what is kept in Redis goes by itself, and holds no API key', async () => {
  const one = startProcess()
  const key = await newKey()
  const { endsAt } = one.add(key)
  const client = new Redis(redis?.url ?? '')
  onTestFinished(() => client.disconnect())
  const name = `authconn:limit:test:${endsAt}:${key}`
  await until(async () => expect(await client.get(name)).toBe('1'))
  const left = await client.pttl(name)
  expect(left).toBeGreaterThan(0)
  expect(left).toBeLessThanOrEqual(60_000 + 5000)
})

test('without Redis each goes on by itself, says so once, and joins in when it is there', async () => {
  const wire = await startWire(redis?.url ?? '')
  onTestFinished(wire.close)
  wire.cut()
  const one = startProcess(wire.url)
  const other = startProcess()
  const key = await newKey()
  for (let at = 0; at < 5; at++) one.add(key)
  await until(() => expect(one.lines).toHaveLength(1))
  expect(one.lines[0]).toMatch(/^Redis does not answer: each process limits by itself: \S/)
  expect(one.lines[0]).not.toContain(new URL(wire.url).password)
  expect(countOf(one, key)).toBe(5)
  await sleep(500)
  expect(one.lines).toHaveLength(1)

  wire.mend()
  await until(() => expect(one.lines[1]).toMatch(/^Redis answers again/))
  await until(() => {
    other.add(key)
    expect(countOf(other, key)).toBeGreaterThan(5)
  })
})

test('a Redis that has fallen silent is given up and found again', async () => {
  const wire = await startWire(redis?.url ?? '')
  onTestFinished(wire.close)
  const one = startProcess(wire.url)
  const key = await newKey()
  one.add(key)
  await sleep(500)
  wire.silence()
  await until(() => {
    one.add(key)
    expect(one.lines[0]).toMatch(/^Redis does not answer/)
  })
  wire.mend()
  await until(() => {
    one.add(key)
    expect(one.lines[1]).toMatch(/^Redis answers again/)
  })
})

test('a wrong password is said in the words of Redis, without the password', async () => {
  const url = new URL(redis?.url ?? '')
  url.password = 'canary-password'
  const one = startProcess(url.href)
  one.add(await newKey())
  await until(() => expect(one.lines).toHaveLength(1))
  expect(one.lines[0]).toMatch(/WRONGPASS|NOAUTH/)
  expect(one.lines[0]).not.toContain('canary-password')
})

test('stopping does not wait for a Redis that is not there', async () => {
  const wire = await startWire(redis?.url ?? '')
  onTestFinished(wire.close)
  wire.cut()
  const one = startProcess(wire.url)
  one.add(await newKey())
  await sleep(300)
  const before = performance.now()
  await one.stop()
  expect(performance.now() - before).toBeLessThan(1500)
})

test('processes count together by TLS, where the authority of its certificate is trusted', async () => {
  // As in a process whose NODE_EXTRA_CA_CERTS names a file with it.
  const trusted = getCACertificates('default')
  setDefaultCACertificates([...trusted, authority])
  onTestFinished(() => setDefaultCACertificates(trusted))
  const wire = await startTlsWire(redis?.url ?? '')
  onTestFinished(wire.close)
  const [one, other] = [startProcess(wire.url), startProcess(wire.url)]
  const key = await newKey()
  // More than the other comes to by itself.
  for (let at = 0; at < 1000; at++) one.add(key)
  await until(() => {
    other.add(key)
    expect(countOf(other, key)).toBeGreaterThan(1000)
  })
})

test('a certificate that nobody trusts gets neither the password nor a count, and is told of', async () => {
  const wire = await startTlsWire(redis?.url ?? '')
  onTestFinished(wire.close)
  const one = startProcess(wire.url)
  await until(() => expect(wire.refusals()).toBeGreaterThan(0))
  one.add(await newKey())
  await until(() => expect(one.lines).toHaveLength(1))
  expect(one.lines[0]).toMatch(/^Redis does not answer: each process limits by itself: .*certificate/)
  expect(Buffer.concat(wire.arrived).toString()).toBe('')
})
