import { describe, expect, test } from 'vitest'
import { createRateLimits } from '../../src/core/limits/rate-limits.ts'

const start = Date.UTC(2026, 0, 1)
const limits = (given: { perCaller?: number; failuresPerAddress?: number; exchanges?: number } = {}) =>
  createRateLimits({ perCaller: 3, failuresPerAddress: 2, exchanges: 3, isShared: false, ...given })

const from = (network: string, keyHash?: string) => ({ network, keyHash })

describe('a caller', () => {
  test('is refused when it has used up its window, and served again in the next', () => {
    const { admit } = limits()
    const asked = Array.from({ length: 5 }, () => admit(from('n', 'key'), start))
    expect(asked.map((standing) => standing?.isRefused)).toEqual([false, false, false, true, true])
    const endsAt = asked[4]?.tally.endsAt ?? 0
    expect(admit(from('n', 'key'), endsAt)?.isRefused).toBe(false)
  })

  test('is told apart by its key and not by its address', () => {
    const { admit } = limits()
    for (let at = 0; at < 4; at++) admit(from(`n${at}`, 'key'), start)
    expect(admit(from('elsewhere', 'key'), start)?.isRefused).toBe(true)
    expect(admit(from('n0', 'another'), start)?.isRefused).toBe(false)
  })

  test('is not limited with a limit of 0', () => {
    const { admit } = limits({ perCaller: 0 })
    for (let at = 0; at < 100; at++) expect(admit(from('n', 'key'), start)).toBeUndefined()
  })
})

describe('an address', () => {
  test('is refused after so many failures, whatever key comes, and not because of successes', () => {
    const { admit, failed, succeeded } = limits({ perCaller: 0 })
    for (let at = 0; at < 10; at++) succeeded('good', start)
    expect(failed(from('n', 'bad'), start)).toBe(false)
    expect(admit(from('n', 'new'), start)).toBeUndefined()
    expect(failed(from('n', undefined), start)).toBe(true)
    expect(admit(from('n', 'new'), start)).toMatchObject({ isRefused: true, policy: { name: 'address' } })
    expect(admit(from('n'), start)?.isRefused).toBe(true)
    expect(admit(from('another', 'new'), start)).toBeUndefined()
    // Said once.
    expect(failed(from('n', 'bad'), start)).toBe(false)
  })

  test('is let in again when the minute is over', () => {
    const { admit, failed } = limits()
    failed(from('n', 'bad'), start)
    failed(from('n', 'bad'), start)
    const endsAt = admit(from('n', 'bad'), start)?.tally.endsAt ?? 0
    expect(endsAt - start).toBeLessThanOrEqual(60_000)
    expect(admit(from('n', 'bad'), endsAt - 1)?.policy.name).toBe('address')
    expect(admit(from('n', 'bad'), endsAt)?.isRefused).toBe(false)
  })

  test('that is refused lets through what was good a while ago, until that fails itself', () => {
    const { admit, failed, succeeded } = limits({ perCaller: 0 })
    succeeded('good', start)
    for (let at = 0; at < 2; at++) failed(from('n', 'bad'), start)
    expect(admit(from('n', 'good'), start)).toBeUndefined()
    expect(admit(from('n', 'bad'), start)?.isRefused).toBe(true)
    failed(from('n', 'good'), start)
    expect(admit(from('n', 'good'), start)?.isRefused).toBe(true)
  })

  test('that is refused does not count towards the limit of the caller whose key it shows', () => {
    const { admit, failed } = limits()
    for (let at = 0; at < 2; at++) failed(from('n', 'bad'), start)
    for (let at = 0; at < 50; at++) admit(from('n', 'of somebody else'), start)
    expect(admit(from('another', 'of somebody else'), start)).toMatchObject({
      isRefused: false,
      tally: { count: 1 },
    })
  })

  test('is never refused with a limit of 0', () => {
    const { admit, failed } = limits({ failuresPerAddress: 0, perCaller: 0 })
    for (let at = 0; at < 100; at++) failed(from('n', 'bad'), start)
    expect(admit(from('n', 'bad'), start)).toBeUndefined()
  })
})

describe('what needs no key', () => {
  const open = (network: string) => ({ network, keyHash: undefined, isOpen: true })

  test('is limited by where it comes from, whatever came of it', () => {
    const { admit } = limits()
    const asked = Array.from({ length: 4 }, () => admit(open('n'), start))
    expect(asked.map((standing) => standing?.isRefused)).toEqual([false, false, false, true])
    expect(asked[3]?.policy).toMatchObject({ name: 'exchange', quota: 3 })
    expect(admit(open('another'), start)?.isRefused).toBe(false)
    expect(admit(open('n'), asked[3]?.tally.endsAt ?? 0)?.isRefused).toBe(false)
  })

  test('is refused where keys that are none came from, too, and is not limited with a limit of 0', () => {
    const { admit, failed } = limits({ exchanges: 0 })
    for (let at = 0; at < 50; at++) expect(admit(open('n'), start)).toBeUndefined()
    for (let at = 0; at < 2; at++) failed(open('n'), start)
    expect(admit(open('n'), start)).toMatchObject({ isRefused: true, policy: { name: 'address' } })
  })
})

describe('a trust', () => {
  test('gives so many keys in a minute, wherever they are asked for', () => {
    const { findSpent, exchanged } = limits()
    for (let at = 0; at < 3; at++) {
      expect(findSpent('trust', start)).toBeUndefined()
      exchanged('trust', start)
    }
    const spent = findSpent('trust', start)
    expect(spent).toMatchObject({ isRefused: true, policy: { name: 'trust', quota: 3 } })
    expect(findSpent('another', start)).toBeUndefined()
    expect(findSpent('trust', spent?.tally.endsAt ?? 0)).toBeUndefined()
  })
})
