import { expect, test } from 'vitest'
import { AuthconnError } from '../../src/core/errors.ts'
import { judgeFailure } from '../../src/core/grants/judge-failure.ts'
import { ProviderFailure, type ProviderFailureKind } from '../../src/core/oauth-port.ts'

const clientAsOf = new Date('2026-01-01T00:00:00Z')
const attempt = { interruptedAt: null, clientAsOf }
const fresh = { failureCount: 0, unrecognizedCount: 0, renewable: false }
const judge = (kind: ProviderFailureKind, given: Partial<typeof fresh> = {}, interruptedAt: Date | null = null) =>
  judgeFailure(
    new ProviderFailure(kind, 'what it said'),
    { ...fresh, ...given },
    { interruptedAt, clientAsOf },
    () => 0.5,
  )

test.each([
  ['invalid_grant', 'permanent', 'expired', 'grant_expired', false],
  ['client', 'configuration', 'active', 'client_rejected', false],
  ['passing', 'passing', 'active', 'provider_unavailable', true],
  ['unintelligible', 'passing', 'active', 'provider_answer_invalid', true],
  ['address', 'passing', 'active', 'provider_address_refused', true],
  ['unrecognized', 'unrecognized', 'active', 'provider_answer_invalid', true],
] as const)(
  '%s is %s: the grant is %s, and a retry is planned: %5$s',
  (kind, failureClass, status, code, retried) => {
    const verdict = judge(kind)
    expect(verdict).toMatchObject({ status, error: { class: failureClass, code, detail: 'what it said' } })
    expect(verdict.retryIn !== null).toBe(retried)
    expect(verdict.blocked).toEqual(failureClass === 'configuration' ? { clientAsOf } : null)
  },
)

test('invalid_grant after an attempt with an unknown outcome is an interrupted refresh, and says when that was', () => {
  const verdict = judge('invalid_grant', {}, new Date('2026-01-01T00:00:00Z'))
  expect(verdict).toMatchObject({ status: 'expired', error: { class: 'interrupted', code: 'grant_expired' } })
  expect(verdict.error.detail).toContain(
    'what it said. Interrupted refresh: an attempt at 2026-01-01T00:00:00.000Z',
  )
})

test('a number of answers that fit no standard are the last word', () => {
  expect(judge('unrecognized', { unrecognizedCount: 8 })).toMatchObject({ status: 'active', unrecognized: true })
  expect(judge('unrecognized', { unrecognizedCount: 9 })).toMatchObject({
    status: 'expired',
    retryIn: null,
    error: { class: 'unrecognized', code: 'grant_expired', detail: expect.stringContaining('10 times') },
  })
})

test('what the vault itself failed at is tried again, and never ends a grant', () => {
  const damaged = judgeFailure(new AuthconnError('sealed_value_damaged', 'damaged'), fresh, attempt)
  expect(damaged).toMatchObject({ status: 'active', blocked: null, error: { code: 'sealed_value_damaged' } })
  expect(damaged.retryIn).toBe(300)
  const defect = judgeFailure(new TypeError('canary'), fresh, attempt)
  expect(defect.error.code).toBe('internal_error')
  expect(JSON.stringify(defect)).not.toContain('canary')
})

test('a key service that is away is waited for like a provider', () => {
  const away = new AuthconnError('kms_unavailable', 'AWS KMS does not answer', { retryAfter: 4 })
  const verdict = judgeFailure(away, fresh, attempt, () => 0.5)
  expect(verdict).toMatchObject({ status: 'active', outcomeUnknown: false, error: { code: 'kms_unavailable' } })
  expect(verdict.retryIn).toBeGreaterThanOrEqual(4)
  expect(verdict.retryIn).toBeLessThan(10)
  expect(judgeFailure(new AuthconnError('kms_refused'), fresh, attempt).retryIn).toBe(300)
})
