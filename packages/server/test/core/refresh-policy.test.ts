import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { LastError } from '../../src/core/grant-port.ts'
import { decide, isServable, leadTime, shownStatus, type Wish } from '../../src/core/grants/refresh-policy.ts'
import { exampleGrant as grant, now, secondsLater } from '../support/example-grant.ts'

const later = secondsLater(10)
const refused: LastError = {
  code: 'client_rejected',
  class: 'configuration',
  detail: 'invalid_client',
  at: secondsLater(-60).toISOString(),
}
const blocked = { blocked: true, lastError: refused, failureCount: 1 }

describe('a token', () => {
  test.each([
    ['long before its end', grant(3000), 'serve'],
    ['a few minutes before its end', grant(200), 'serve_and_refresh'],
    ['a few minutes before its end while the provider fails', grant(200, { retryAt: later }), 'serve'],
    ['a few minutes before its end while the client is refused', grant(200, blocked), 'serve'],
    ['in its last minute', grant(59), 'refresh'],
    ['in its last minute while the provider fails', grant(30, { retryAt: later }), 'serve'],
    ['in its last minute while the client is refused', grant(30, blocked), 'serve'],
    ['at its end', grant(0), 'refresh'],
    ['at its end while the provider fails', grant(0, { retryAt: later }), 'back_off'],
    ['at its end while the client is refused', grant(0, blocked), 'back_off'],
    ['at its assumed end', grant(0, { expiryAssumed: true }), 'refresh'],
    ['at its assumed end while the provider fails', grant(0, { expiryAssumed: true, retryAt: later }), 'serve'],
    ['past its assumed end for as long again', grant(-3601, { expiryAssumed: true, retryAt: later }), 'back_off'],
    ['long past its end', grant(-9999), 'refresh'],
    ['without an end', grant(null, { lifetime: null }), 'serve'],
    ['that cannot be refreshed, before its end', grant(30, { refreshToken: null }), 'serve'],
    ['that cannot be refreshed, at its end', grant(0, { refreshToken: null }), 'dead'],
    ['that lives 10 seconds, new', grant(9, { lifetime: 10 }), 'serve'],
    ['that lives 10 seconds, in its last third', grant(3, { lifetime: 10 }), 'serve_and_refresh'],
    ['that lives 10 seconds, in its last quarter', grant(2, { lifetime: 10 }), 'refresh'],
    ['of a pending grant', grant(3000, { status: 'pending', accessToken: null }), 'dead'],
    ['of an expired grant', grant(3000, { status: 'expired' }), 'dead'],
    ['of a revoked grant', grant(3000, { status: 'revoked' }), 'dead'],
  ])('%s', (_when, value, expected) => {
    expect(decide(value, now)).toBe(expected)
  })
})

describe('a min_ttl', () => {
  const refreshedBefore = { lastRefreshedAt: secondsLater(-600) }
  test.each<[string, ReturnType<typeof grant>, number, string]>([
    ['that the token has', grant(700), 600, 'serve'],
    ['that the token has no more', grant(500), 600, 'refresh'],
    ['that only a refresh could give', grant(500), 3400, 'refresh'],
    ['of more than the token ever had, before the first refresh', grant(3500), 7200, 'refresh'],
    ['of more than tokens have, after a refresh', grant(3000, refreshedBefore), 7200, 'unreachable'],
    ['of nearly all that tokens have', grant(3000, refreshedBefore), 3500, 'unreachable'],
    [
      'that the token just got from a refresh has not',
      grant(500, { lastRefreshedAt: secondsLater(-2) }),
      600,
      'unreachable',
    ],
    ['that is not there while the provider fails', grant(500, { retryAt: later }), 600, 'back_off'],
    ['that is not there without a refresh token', grant(500, { refreshToken: null }), 600, 'unreachable'],
    ['of 0, in the last seconds', grant(1), 0, 'serve_and_refresh'],
    ['of 0, at the end', grant(0), 0, 'refresh'],
  ])('%s', (_what, value, minTtl, expected) => {
    expect(decide(value, now, { minTtl })).toBe(expected)
  })
})

describe('a refresh that is insisted on', () => {
  const forced: Wish = { force: true }
  test.each<[string, ReturnType<typeof grant>, Wish, string]>([
    ['is done although the token is good', grant(3000), forced, 'refresh'],
    [
      'is done for the version that was rejected',
      grant(3000, { generation: 7 }),
      { rejectedVersion: 7 },
      'refresh',
    ],
    ['is not done for a version that is no more', grant(3000, { generation: 8 }), { rejectedVersion: 7 }, 'serve'],
    ['has just been done', grant(3000, { lastRefreshedAt: secondsLater(-9) }), forced, 'serve'],
    ['was done a while ago', grant(3000, { lastRefreshedAt: secondsLater(-11) }), forced, 'refresh'],
    [
      'is not done again soon for an API that goes on refusing',
      grant(3000, { generation: 7, rejections: 3, lastRefreshedAt: secondsLater(-79) }),
      { rejectedVersion: 7 },
      'serve',
    ],
    [
      'is done again for it after a while',
      grant(3000, { generation: 7, rejections: 3, lastRefreshedAt: secondsLater(-81) }),
      { rejectedVersion: 7 },
      'refresh',
    ],
    ['waits for the pause after a failure', grant(3000, { retryAt: later }), forced, 'back_off'],
    ['gets past a refused client', grant(3000, blocked), forced, 'refresh'],
    [
      'does not hammer with a refused client',
      grant(3000, { ...blocked, lastError: { ...refused, at: secondsLater(-5).toISOString() } }),
      forced,
      'back_off',
    ],
    ['needs a refresh token', grant(3000, { refreshToken: null }), forced, 'not_refreshable'],
    ['does not bring back what has expired', grant(3000, { status: 'expired' }), forced, 'dead'],
  ])('%s', (_what, value, wish, expected) => {
    expect(decide(value, now, wish)).toBe(expected)
  })
})

/** Clocks, lifetimes and skews of all kinds: a grant at any moment of its life, and anything that may be asked of it. */
const anySituation = fc.record({
  // A token may look as if it had more left than it lived: the database's clock was set back.
  left: fc.double({ min: -1e7, max: 1e7, noNaN: true }),
  lifetime: fc.option(fc.integer({ min: 1, max: 10_000_000 })),
  refreshable: fc.boolean(),
  assumed: fc.boolean(),
  blocked: fc.boolean(),
  retryIn: fc.option(fc.integer({ min: -1000, max: 1000 })),
  refreshedAgo: fc.option(fc.integer({ min: -100, max: 100_000 })),
  failedAgo: fc.integer({ min: -100, max: 1000 }),
  generation: fc.integer({ min: 0, max: 3 }),
  minTtl: fc.option(fc.integer({ min: 0, max: 86_400 }), { nil: undefined }),
  force: fc.option(fc.boolean(), { nil: undefined }),
  rejectedVersion: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
})

function situation(any: typeof anySituation extends fc.Arbitrary<infer T> ? T : never) {
  const value = grant(any.lifetime === null ? null : any.left, {
    lifetime: any.lifetime,
    refreshToken: any.refreshable ? Buffer.from('r') : null,
    expiryAssumed: any.assumed && any.refreshable && any.lifetime !== null,
    blocked: any.blocked,
    retryAt: any.retryIn === null ? null : secondsLater(any.retryIn),
    lastRefreshedAt: any.refreshedAgo === null ? null : secondsLater(-any.refreshedAgo),
    generation: any.generation,
    lastError: { ...refused, at: secondsLater(-any.failedAgo).toISOString() },
  })
  const wish: Wish = { minTtl: any.minTtl, force: any.force, rejectedVersion: any.rejectedVersion }
  const left = any.lifetime === null ? Number.POSITIVE_INFINITY : any.left
  const life = any.lifetime ?? Number.POSITIVE_INFINITY
  const waiting = any.retryIn !== null && any.retryIn > 0
  const insisted = wish.force === true || wish.rejectedVersion === value.generation
  return { value, wish, left, life, waiting, insisted, decision: decide(value, now, wish) }
}

const always = (check: (given: ReturnType<typeof situation>) => void) =>
  fc.assert(
    fc.property(anySituation, (any) => check(situation(any))),
    { numRuns: 5_000 },
  )

describe('whatever the clocks, lifetimes and wishes', () => {
  test('what is served has at least the min_ttl that was asked for, and has not ended', () => {
    always(({ value, wish, left, decision }) => {
      if (!decision.startsWith('serve')) return
      if (wish.minTtl !== undefined) expect(left).toBeGreaterThanOrEqual(wish.minTtl)
      if (wish.minTtl !== undefined || !value.expiryAssumed) expect(left).toBeGreaterThan(0)
    })
  })

  test('with no min_ttl asked for, less than the default is served only where nothing better can be had', () => {
    always(({ value, wish, left, life, waiting, decision }) => {
      if (wish.minTtl !== undefined || !decision.startsWith('serve')) return
      if (left < Math.min(60, life / 4)) {
        expect(value.refreshToken === null || waiting || value.blocked).toBe(true)
        expect(decision).toBe('serve')
      }
    })
  })

  test('a fresh token is not refreshed', () => {
    always(({ value, wish, left, insisted, decision }) => {
      if (insisted) return
      const needed = wish.minTtl ?? 60
      if (left * 1000 >= Math.max(leadTime(value.lifetime), needed * 1000)) expect(decision).toBe('serve')
    })
  })

  test('nobody waits while there is a token that is good for what was asked', () => {
    always(({ value, wish, left, life, insisted, decision }) => {
      if (insisted) return
      const margin = value.refreshToken === null ? 2.001 : 0.001
      const needed = wish.minTtl ?? Math.min(60, life / 4)
      if (left >= Math.max(needed, margin)) expect(decision).toMatch(/^serve/)
    })
  })

  test('a provider that failed a moment ago is not asked, and one that refuses the client only when forced', () => {
    always(({ value, waiting, insisted, decision }) => {
      if (waiting) expect(['refresh', 'serve_and_refresh']).not.toContain(decision)
      if (value.blocked && !insisted) expect(['refresh', 'serve_and_refresh']).not.toContain(decision)
    })
  })

  test('nothing is asked of a provider without a refresh token, nor within seconds of a forced refresh', () => {
    always(({ value, wish, left, insisted, decision }) => {
      if (value.refreshToken === null) expect(['refresh', 'serve_and_refresh', 'back_off']).not.toContain(decision)
      const ago = value.lastRefreshedAt ? (now.getTime() - value.lastRefreshedAt.getTime()) / 1000 : null
      if (insisted && ago !== null && ago < 10 && left >= Math.max(300, wish.minTtl ?? 0)) {
        expect(decision).toBe('serve')
      }
    })
  })

  test('what may be served after a failed refresh is never less than what was asked', () => {
    always(({ value, wish, left, insisted }) => {
      if (!isServable(value, now, wish)) return
      if (wish.minTtl !== undefined) expect(left).toBeGreaterThanOrEqual(wish.minTtl)
      if (!value.expiryAssumed) expect(left).toBeGreaterThan(0)
      if (insisted) expect(value.lastRefreshedAt).not.toBeNull()
    })
  })
})

describe('the status shown', () => {
  test('is pending before anything happened', () => {
    expect(shownStatus(undefined, now)).toBe('pending')
  })
  test('is expired for a token that ended with nothing to refresh it', () => {
    expect(shownStatus(grant(-1, { refreshToken: null }), now)).toBe('expired')
    expect(shownStatus(grant(-1), now)).toBe('active')
  })
})
