import { expect, test } from 'vitest'
import { judgePoll } from '../../src/core/connections/judge-poll.ts'
import { AuthconnError } from '../../src/core/errors.ts'
import { ProviderFailure, type ProviderFailureKind } from '../../src/core/oauth-port.ts'

const judge = (
  kind: ProviderFailureKind,
  facts: ConstructorParameters<typeof ProviderFailure>[2] = {},
  interval = 5,
) => judgePoll(new ProviderFailure(kind, 'what it said', facts), interval)

test('asks again at the same pace while nobody has decided', () => {
  expect(judge('unrecognized', { oauthError: 'authorization_pending' })).toEqual({ askAgain: 5 })
  // Some answer so with status 200.
  expect(judge('unintelligible', { oauthError: 'authorization_pending' })).toEqual({ askAgain: 5 })
})

test('asks five seconds later each time that it is told to slow down', () => {
  expect(judge('passing', { oauthError: 'slow_down' })).toEqual({ askAgain: 10 })
  expect(judge('passing', { oauthError: 'slow_down' }, 10)).toEqual({ askAgain: 15 })
})

test('asks less often when the provider does not answer, as it says or twice as slowly, and never faster', () => {
  expect(judge('passing')).toEqual({ askAgain: 10 })
  expect(judge('passing', {}, 50)).toEqual({ askAgain: 60 })
  expect(judge('passing', { retryAfter: 30 })).toEqual({ askAgain: 30 })
  expect(judge('passing', { retryAfter: 1 })).toEqual({ askAgain: 5 })
  expect(judge('passing', {}, 90)).toEqual({ askAgain: 90 })
})

test('asks again when the key service is away', () => {
  expect(judgePoll(new AuthconnError('kms_unavailable'), 5)).toEqual({ askAgain: 5 })
})

test.each([
  ['unrecognized', 'access_denied', 'authorization_denied'],
  ['unrecognized', 'authorization_declined', 'authorization_denied'],
  ['unrecognized', 'expired_token', 'authorization_over'],
  ['invalid_grant', 'invalid_grant', 'authorization_over'],
  ['client', 'invalid_client', 'client_rejected'],
  ['unrecognized', 'invented', 'provider_answer_invalid'],
  ['id_token', undefined, 'id_token_invalid'],
] as const)('gives up over %s %s, with %s', (kind, oauthError, code) => {
  expect(judge(kind, { oauthError })).toMatchObject({ giveUp: { code } })
})
