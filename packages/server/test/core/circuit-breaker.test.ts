import { beforeEach, expect, test } from 'vitest'
import { type CircuitBreaker, createCircuitBreaker, type Ticket } from '../../src/core/grants/circuit-breaker.ts'

const provider = 'https://provider.example/token'
let now: number
let recovered: string[]
let breaker: CircuitBreaker
beforeEach(() => {
  now = 0
  recovered = []
  breaker = createCircuitBreaker({
    clock: () => now,
    random: () => 1,
    onRecovered: (name) => void recovered.push(name),
  })
})

function enter(name = provider, grantId: string = crypto.randomUUID()): Ticket {
  const entered = breaker.enter(name, grantId)
  if ('refusedFor' in entered) throw new Error(`refused for ${entered.refusedFor} ms`)
  return entered
}
const refusedFor = () => {
  const entered = breaker.enter(provider, 'asked')
  if ('refusedFor' in entered) return entered.refusedFor
  entered.unused()
  return undefined
}
const fail = (times: number) => {
  for (let i = 0; i < times; i++) enter().failed()
}

test('lets everyone in until the refreshes of five grants have failed, and then nobody, to that provider alone', () => {
  fail(4)
  expect(refusedFor()).toBeUndefined()
  fail(1)
  expect(refusedFor()).toBe(2000)
  expect(breaker.refusing()).toEqual([provider])
  enter('https://other.example/token').answered()
})

test('one grant that always fails does not close it to the others, nor do failures that are long past', () => {
  for (let i = 0; i < 50; i++) enter(provider, 'always failing').failed()
  expect(refusedFor()).toBeUndefined()
  fail(3)
  now += 61_000
  fail(4)
  expect(refusedFor()).toBeUndefined()
  fail(1)
  expect(refusedFor()).toBeDefined()
})

test('tells nobody of a recovery from failures that had not closed it', () => {
  fail(4)
  enter().answered()
  expect(recovered).toEqual([])
})

test('an answer between failures begins the count anew', () => {
  fail(4)
  enter().answered()
  fail(4)
  expect(refusedFor()).toBeUndefined()
})

test('after the pause one attempt at a time is let through, and the pauses grow to twenty seconds', () => {
  fail(5)
  const pauses: number[] = []
  for (let i = 0; i < 6; i++) {
    const pause = refusedFor() ?? 0
    pauses.push(pause)
    now += pause
    const probe = enter()
    expect(refusedFor()).toBeGreaterThan(0)
    expect(breaker.refusing()).toEqual([provider])
    probe.failed()
  }
  expect(pauses).toEqual([2000, 4000, 8000, 16_000, 20_000, 20_000])
})

test('opens with the first answer, and tells of it once', () => {
  fail(5)
  now += 2000
  enter().answered()
  expect(breaker.refusing()).toEqual([])
  fail(4)
  expect(refusedFor()).toBeUndefined()
  expect(recovered).toEqual([provider])
})

test('an attempt that was already under way may bring the answer, too', () => {
  const early = enter()
  fail(5)
  early.answered()
  expect(refusedFor()).toBeUndefined()
  expect(recovered).toEqual([provider])
})

test('failures of attempts that were already under way do not prolong the pause', () => {
  const early = Array.from({ length: 20 }, () => enter())
  for (const ticket of early) ticket.failed()
  expect(refusedFor()).toBe(2000)
})

test('a probe that was not used makes room for another, and a ticket counts once', () => {
  fail(5)
  now += 2000
  const unused = enter()
  unused.unused()
  unused.failed()
  const probe = enter()
  probe.answered()
  probe.failed()
  expect(refusedFor()).toBeUndefined()
})

test('says nothing of a provider that never failed', () => {
  enter().answered()
  expect(recovered).toEqual([])
})
