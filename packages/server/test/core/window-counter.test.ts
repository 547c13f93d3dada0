import { describe, expect, test } from 'vitest'
import { createWindowCounter } from '../../src/core/limits/window-counter.ts'

const start = Date.UTC(2026, 0, 1)
const counter = (given: { isShared?: boolean; most?: number } = {}) =>
  createWindowCounter({ windowMs: 10_000, isShared: false, ...given })

describe('a window', () => {
  test('counts each key by itself', () => {
    const { add, find } = counter()
    expect(add('a', start).count).toBe(1)
    expect(add('a', start).count).toBe(2)
    expect(add('b', start).count).toBe(1)
    expect(find('a', start)?.count).toBe(2)
    expect(find('c', start)).toBeUndefined()
  })

  test('ends within its length, and then counting begins anew', () => {
    const { add, find } = counter()
    const { endsAt } = add('a', start)
    expect(endsAt).toBeGreaterThan(start)
    expect(endsAt).toBeLessThanOrEqual(start + 10_000)
    expect(add('a', endsAt - 1).count).toBe(2)
    expect(find('a', endsAt)?.count).toBe(0)
    expect(add('a', endsAt)).toMatchObject({ count: 1, endsAt: endsAt + 10_000 })
  })

  test('ends at different moments for different keys', () => {
    const { add } = counter()
    const ends = new Set(Array.from({ length: 100 }, (_, at) => add(`key ${at}`, start).endsAt))
    expect(ends.size).toBeGreaterThan(90)
  })

  test('ends at the same moment for the same key everywhere, whenever counting began', () => {
    const { endsAt } = counter().add('a', start)
    expect(counter().add('a', endsAt - 1).endsAt).toBe(endsAt)
  })

  test('does not last longer when the clock is set back', () => {
    const { add } = counter()
    add('a', start)
    const earlier = add('a', start - 3_600_000)
    expect(earlier.count).toBe(1)
    expect(earlier.endsAt).toBeLessThanOrEqual(start - 3_600_000 + 10_000)
  })
})

describe('memory', () => {
  test('is bounded when the keys never end, and the newest are remembered', () => {
    const { add, find } = counter({ most: 100 })
    for (let at = 0; at < 10_000; at++) add(`key ${at}`, start)
    const remembered = Array.from({ length: 10_000 }, (_, at) => find(`key ${at}`, start)).filter(Boolean)
    expect(find('key 9999', start)?.count).toBe(1)
    expect(remembered.length).toBeLessThanOrEqual(200)
  })

  test('keeps a key that is in use through a flood of others', () => {
    const { add } = counter({ most: 100 })
    for (let at = 0; at < 10_000; at++) {
      add(`key ${at}`, start)
      if (at % 50 === 0) add('in use', start)
    }
    expect(add('in use', start).count).toBe(201)
  })

  test('keeps a count until its window is over, whichever moments the generations turn at', () => {
    const { add, find } = counter()
    for (let at = 0; at < 200; at++) {
      const now = start + at * 777
      const { endsAt, count } = add('a', now)
      for (let other = 0; other < 5; other++) add(`other ${at} ${other}`, now)
      expect(find('a', endsAt - 1)?.count).toBe(count)
    }
  })
})

describe('processes that count together', () => {
  test('learn what the others have counted, and keep what they counted meanwhile', () => {
    const { add, take, learn } = counter({ isShared: true })
    add('a', start)
    add('a', start)
    add('b', start)
    const shares = take(start)
    expect(shares.map(({ key, added }) => [key, added])).toEqual([
      ['a', 2],
      ['b', 1],
    ])
    add('a', start)
    for (const share of shares) learn(share, 10)
    expect(add('a', start).count).toBe(12)
    expect(take(start).map(({ key, added }) => [key, added])).toEqual([['a', 2]])
    expect(take(start)).toEqual([])
  })

  test('count alone as before when what they learn is less than what they know', () => {
    const { add, take, learn, find } = counter({ isShared: true })
    for (let at = 0; at < 5; at++) add('a', start)
    for (const share of take(start)) learn(share, 1)
    expect(find('a', start)?.count).toBe(5)
  })

  test('send again what reached nobody', () => {
    const { add, take, giveBack } = counter({ isShared: true })
    add('a', start)
    for (const share of take(start)) giveBack(share)
    add('a', start)
    expect(take(start).map(({ added }) => added)).toEqual([2])
  })

  test('forget a share whose window is over', () => {
    const { add, take, giveBack, learn, find } = counter({ isShared: true })
    const { endsAt } = add('a', start)
    const [late] = take(start)
    add('a', endsAt)
    if (!late) throw new Error('nothing was taken')
    learn(late, 100)
    giveBack(late)
    expect(find('a', endsAt)?.count).toBe(1)
    expect(take(endsAt).map(({ added }) => added)).toEqual([1])
    add('a', endsAt)
    expect(take(endsAt + 10_000)).toEqual([])
  })
})
