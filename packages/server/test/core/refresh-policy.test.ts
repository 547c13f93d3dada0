import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { freshness, isServable, shownStatus } from '../../src/core/grants/refresh-policy.ts'
import type { Grant } from '../../src/core/ports.ts'

const now = new Date('2026-01-01T00:00:00Z')
const grant = (secondsLeft: number | null, given: Partial<Grant> = {}): Grant => ({
  id: 'grant',
  workspaceId: 'workspace',
  connectionId: 'connection',
  subject: '',
  status: 'active',
  accessToken: Buffer.from('a'),
  refreshToken: Buffer.from('r'),
  tokenType: 'Bearer',
  scope: null,
  expiresAt: secondsLeft === null ? null : new Date(now.getTime() + secondsLeft * 1000),
  lifetime: 3600,
  generation: 1,
  retryAt: null,
  failureCount: 0,
  lastError: null,
  lastRefreshedAt: null,
  ...given,
})
const later = new Date(now.getTime() + 10_000)

describe('a token', () => {
  test.each([
    ['long before its end', grant(3000), 'serve'],
    ['a few minutes before its end', grant(200), 'serve_and_refresh'],
    ['a few minutes before its end while the provider fails', grant(200, { retryAt: later }), 'serve'],
    ['in its last minute', grant(59), 'refresh'],
    ['in its last minute while the provider fails', grant(30, { retryAt: later }), 'serve'],
    ['at its end', grant(0), 'refresh'],
    ['at its end while the provider fails', grant(0, { retryAt: later }), 'back_off'],
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
    expect(freshness(value, now)).toBe(expected)
  })

  test('that has ended is never served, whatever else is so', () => {
    const anyGrant = fc.record({
      left: fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      lifetime: fc.integer({ min: 1, max: 1e7 }),
      refreshable: fc.boolean(),
      backingOff: fc.boolean(),
    })
    fc.assert(
      fc.property(anyGrant, ({ left, lifetime, refreshable, backingOff }) => {
        const value = grant(left, {
          lifetime,
          refreshToken: refreshable ? Buffer.from('r') : null,
          retryAt: backingOff ? later : null,
        })
        const decision = freshness(value, now)
        if (left <= 0) expect(['refresh', 'back_off', 'dead']).toContain(decision)
        if (left <= 0) expect(isServable(value, now)).toBe(false)
        // Nobody waits for the provider while a token is good for its minimum.
        if (left >= Math.min(60, lifetime / 4) && left > 2) expect(decision).toMatch(/^serve/)
        // A provider that failed a moment ago is not asked again.
        if (backingOff) expect(['refresh', 'serve_and_refresh']).not.toContain(decision)
      }),
    )
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
