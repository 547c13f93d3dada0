import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { backoff, slowBackoff } from '../../src/core/grants/backoff.ts'
import { leadTime } from '../../src/core/grants/refresh-policy.ts'
import { scheduleRefresh } from '../../src/core/grants/schedule-refresh.ts'

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const life = fc.integer({ min: 1, max: 315_360_000 })
const day = 86_400

describe('a grant is due again', () => {
  test('before its token ends, and no earlier than its lead and a half', () => {
    fc.assert(
      fc.property(life, chance, (expiresIn, random) => {
        const tokens = { expiresIn, refreshTokenExpiresIn: 10 * 315_360_000, refreshable: true }
        const { refreshDueIn } = scheduleRefresh(tokens, () => random)
        const lead = leadTime(expiresIn) / 1000
        // Not in a loop, however short they live.
        expect(refreshDueIn).toBeLessThanOrEqual(Math.max(3, expiresIn - lead))
        expect(refreshDueIn).toBeGreaterThanOrEqual(Math.max(3, expiresIn - 1.5 * lead))
      }),
    )
  })

  test('before its refresh token dies of disuse, whatever is known of that', () => {
    fc.assert(
      fc.property(fc.option(life), fc.option(life), chance, (expiresIn, refreshTokenExpiresIn, random) => {
        const tokens = { expiresIn, refreshTokenExpiresIn, refreshable: true }
        const { refreshDueIn, keepAliveIn } = scheduleRefresh(tokens, () => random)
        const idle = refreshTokenExpiresIn ?? 14 * day
        expect(keepAliveIn).toBeGreaterThan(0)
        expect(keepAliveIn).toBeLessThanOrEqual(idle / 2)
        expect(refreshDueIn).toBeLessThanOrEqual(keepAliveIn ?? 0)
      }),
    )
  })

  test('spread, so that what came together is not due together', () => {
    const dues = [0, 0.5, 0.99].map(
      (random) =>
        scheduleRefresh({ expiresIn: 3600, refreshTokenExpiresIn: null, refreshable: true }, () => random)
          .refreshDueIn,
    )
    expect(dues).toEqual([3300, 3225, expect.closeTo(3151.5)])
  })

  test('at its end, to be told as expired, when there is nothing to refresh it with', () => {
    const tokens = { refreshTokenExpiresIn: null, refreshable: false }
    expect(scheduleRefresh({ ...tokens, expiresIn: 60 })).toEqual({ refreshDueIn: 60, keepAliveIn: null })
    expect(scheduleRefresh({ ...tokens, expiresIn: null })).toEqual({ refreshDueIn: null, keepAliveIn: null })
  })
})

describe('the pause after a failure', () => {
  test('doubles, with full jitter, to five minutes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1000 }), chance, (failures, random) => {
        const pause = backoff(failures, undefined, () => random)
        expect(pause).toBeGreaterThanOrEqual(1)
        expect(pause).toBeLessThanOrEqual(Math.min(300, 2 * 2 ** Math.min(failures, 20)))
      }),
    )
    expect(backoff(20, undefined, () => 0.5)).toBe(150)
  })

  test('is at least what the provider asked for, spread a little', () => {
    expect(backoff(0, 120, () => 0)).toBe(120)
    expect(backoff(0, 120, () => 1)).toBe(133)
    // Which does not make it ask more often than without.
    expect(backoff(20, 1, () => 0.5)).toBe(150)
  })

  test('takes hours for all the answers that fit no standard', () => {
    const pauses = (random: number) =>
      Array.from({ length: 9 }, (_, answers) => slowBackoff(answers, () => random))
    const sum = (numbers: number[]) => numbers.reduce((total, each) => total + each, 0)
    expect(sum(pauses(0)) / 3600).toBeGreaterThan(2)
    expect(sum(pauses(1)) / 3600).toBeLessThan(5)
  })
})
