import { describe, expect, test } from 'vitest'
import { classifyError, parseRetryAfter } from '../../src/adapters/oauth/provider-failure.ts'
import { printable, printableCode } from '../../src/adapters/oauth/provider-text.ts'
import { Secret } from '../../src/core/secret.ts'

const context = { endpoint: 'https://idp.example/token', provider: null, secrets: [] }

describe('an error answer', () => {
  test.each([
    [400, 'invalid_grant', 'invalid_grant'],
    [401, 'invalid_grant', 'invalid_grant'],
    [200, 'invalid_grant', 'invalid_grant'],
    [400, 'invalid_client', 'client'],
    [401, 'invalid_client', 'client'],
    [400, 'unauthorized_client', 'client'],
    [408, undefined, 'passing'],
    [429, undefined, 'passing'],
    [429, 'invalid_grant', 'passing'],
    [500, undefined, 'passing'],
    [500, 'invalid_grant', 'passing'],
    [503, 'invalid_client', 'passing'],
    [400, 'temporarily_unavailable', 'passing'],
    [400, 'server_error', 'passing'],
    [400, 'slow_down', 'passing'],
    [400, undefined, 'unrecognized'],
    [400, 'invalid_request', 'unrecognized'],
    [400, 'invalid_scope', 'unrecognized'],
    [400, 'unsupported_grant_type', 'client'],
    [403, 'go_away', 'unrecognized'],
    [401, undefined, 'client'],
    [404, undefined, 'unintelligible'],
    [400, { code: 400 }, 'unrecognized'],
    // A code of a provider's own means nothing at another one.
    [200, 'bad_verification_code', 'unintelligible'],
  ])('%i %j is %s', (status, error, kind) => {
    expect(classifyError({ status, headers: new Headers(), error }, context).kind).toBe(kind)
  })

  test('says where, what and why', () => {
    const answer = {
      status: 400,
      headers: new Headers(),
      error: 'invalid_grant',
      errorDescription: 'Token expired',
    }
    expect(classifyError(answer, context).message).toBe(
      'https://idp.example/token answered 400 invalid_grant: Token expired',
    )
    expect(classifyError({ status: 403, headers: new Headers() }, context).message).toBe(
      'https://idp.example/token answered 403 without an OAuth error',
    )
  })

  test('is waited for as long as it asks, within reason, and only when waiting helps', () => {
    const headers = new Headers({ 'retry-after': '7' })
    expect(classifyError({ status: 503, headers }, context).retryAfter).toBe(7)
    expect(classifyError({ status: 400, headers, error: 'invalid_grant' }, context).retryAfter).toBeUndefined()
  })
})

test.each([
  ['120', 120],
  [' 5 ', 5],
  ['0', 1],
  ['99999999', 3600],
  ['Sun, 22 Nov 2026 12:00:30 GMT', 30],
  ['Sun, 22 Nov 2026 11:00:00 GMT', 1],
  ['Sun, 22 Nov 2099 11:00:00 GMT', 3600],
  ['soon', undefined],
  ['-5', 1],
  ['', undefined],
  [null, undefined],
])('Retry-After %j is %j', (value, seconds) => {
  expect(parseRetryAfter(value, Date.parse('2026-11-22T12:00:00Z'))).toBe(seconds)
})

describe('text of a provider', () => {
  test.each([
    ['Token has been revoked.', 'Token has been revoked.'],
    ['two\r\nlines\tand\u0000nul', 'two lines and nul'],
    ['\u202eright to left\u2066 and\u200b hidden', 'right to left and hidden'],
    ['\u001b[31mred\u001b[0m', '[31mred [0m'],
    ['   ', undefined],
    [7, undefined],
    [null, undefined],
    [`Bad token ${'a1B2'.repeat(20)} given`, 'Bad token […] given'],
    ['Trace ID: 3939d04c-d7ba-42bf-9cb7-1e5854cdce9e', 'Trace ID: 3939d04c-d7ba-42bf-9cb7-1e5854cdce9e'],
    ['Bad token 0123456789abcdef0123456789abcdef', 'Bad token […]'],
    ['Bad token kZqTbWxYhRmNpLsVdGfJcQaEoUiXyBtHwCzK', 'Bad token […]'],
    ['InvalidAuthenticationTokenAudience', 'InvalidAuthenticationTokenAudience'],
    ['invalid_scope_for_this_application', 'invalid_scope_for_this_application'],
    ['half a surrogate \ud800', 'half a surrogate'],
  ])('%j is shown as %j', (text, shown) => {
    expect(printable(text)).toBe(shown)
  })

  test('is bounded', () => {
    expect(printable('word '.repeat(10_000))?.length).toBeLessThanOrEqual(200)
  })

  test('never repeats what was sent', () => {
    const secrets = [new Secret('s3cr/t +é"'), new Secret('code-123')]
    const text = `no s3cr/t +é" nor ${encodeURIComponent('s3cr/t +é"')} nor code-123 nor s3cr/t +é\\"`
    expect(printable(text, secrets)).toBe('no [secret] nor [secret] nor [secret] nor [secret]')
    expect(printableCode('code-123', secrets)).toBeUndefined()
  })

  test('is only taken for a code when it looks like one', () => {
    expect(printableCode('invalid_grant')).toBe('invalid_grant')
    for (const code of ['', 'a b', 'a\nb', '<b>', 'x'.repeat(65), 7, null, undefined]) {
      expect(printableCode(code)).toBeUndefined()
    }
  })
})
