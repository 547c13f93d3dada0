import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseAnswerFields } from '../../src/adapters/oauth/answer-fields.ts'
import { type AnswerMode, readTokenAnswer } from '../../src/adapters/oauth/token-answer.ts'
import { ProviderFailure } from '../../src/core/oauth-port.ts'
import { everythingShownOf, failureOf } from './support/failures.ts'

const context = { endpoint: 'https://idp.example/token', provider: null, secrets: [] }

function answer(body: unknown, { status = 200, type = 'application/json' } = {}): Response {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return new Response(text, { status, headers: { 'content-type': type } })
}

async function read(body: unknown, mode: AnswerMode = 'exchange', options = {}) {
  const { tokens, idToken, grantedScopes } = await readTokenAnswer(answer(body, options), mode, context)
  const { accessToken, refreshToken, ...rest } = tokens
  return {
    ...rest,
    accessToken: accessToken.reveal(),
    refreshToken: refreshToken?.reveal() ?? null,
    idToken,
    grantedScopes,
  }
}

const good = { access_token: 'at', token_type: 'Bearer' }

test('an answer by the book', async () => {
  const body = { ...good, expires_in: 3600, refresh_token: 'rt', scope: 'a b', id_token: 'h.p.s', more: { x: 1 } }
  expect(await read(body)).toEqual({
    accessToken: 'at',
    tokenType: 'Bearer',
    expiresIn: 3600,
    expiryAssumed: false,
    refreshToken: 'rt',
    refreshTokenExpiresIn: null,
    scope: 'a b',
    grantedScopes: ['a', 'b'],
    idToken: 'h.p.s',
  })
})

describe('security 22: expires_in', () => {
  test.each([
    [3600, 3600],
    ['3600', 3600],
    [' 3600 ', 3600],
    ['3600.7', 3600],
    [3599.9, 3599],
    [1, 1],
    [0, null],
    ['0', null],
    [0.5, null],
    [-1, null],
    ['-3600', null],
    [null, null],
    [undefined, null],
    ['', null],
    ['an hour', null],
    ['0x10', null],
    ['1e3', null],
    [true, null],
    [[3600], null],
    [{ seconds: 3600 }, null],
    [1e300, 315_360_000],
    ['99999999999999999999', 315_360_000],
    ['999999999999999999999', null],
  ])('%j is %j', async (expiresIn, seconds) => {
    for (const mode of ['exchange', 'refresh'] as const) {
      expect((await read({ ...good, expires_in: expiresIn }, mode)).expiresIn).toBe(seconds)
    }
  })

  test('beyond what a number holds is huge, not infinite', async () => {
    expect((await read('{"access_token":"at","expires_in":1e999}')).expiresIn).toBe(315_360_000)
  })
})

describe('security 22: token_type', () => {
  test.each([['Bearer'], ['bearer'], ['BEARER'], [' bearer '], [undefined], [null], [''], [7], [['Bearer']]])(
    '%j is Bearer',
    async (tokenType) => {
      expect((await read({ access_token: 'at', token_type: tokenType })).tokenType).toBe('Bearer')
    },
  )

  test.each(['mac', 'DPoP', 'N_A', 'bot'])('%s is refused when a code is exchanged', async (tokenType) => {
    const failure = await failureOf(read({ access_token: 'at', token_type: tokenType }))
    expect(failure.kind).toBe('unintelligible')
    expect(failure.message).toBe('https://idp.example/token answered 200 with a token_type other than Bearer')
  })

  test('another one is kept at a refresh, under its name, for the rotated tokens not to be lost', async () => {
    const tokens = await read({ access_token: 'at', token_type: 'DPoP', refresh_token: 'rt2' }, 'refresh')
    expect(tokens).toMatchObject({ accessToken: 'at', refreshToken: 'rt2', tokenType: 'DPoP' })
    expect((await read({ access_token: 'at', token_type: 'a\nb' }, 'refresh')).tokenType).toBe('unknown')
  })
})

describe('security 22: scope', () => {
  test.each([
    ['a b', 'a b'],
    ['  a   b ', 'a b'],
    [['a', 'b'], 'a b'],
    [['a b', 'c'], 'a b c'],
    ['', null],
    [[], null],
    [null, null],
    [undefined, null],
    [7, null],
    [{ a: true }, null],
    [['a', 7], null],
    ['a\u0000b', null],
    ['"quoted"', null],
    ['https://api.example/read a,b', 'https://api.example/read a,b'],
    ['x'.repeat(9000), null],
  ])('%j is %j', async (scope, expected) => {
    expect((await read({ ...good, scope })).scope).toBe(expected)
  })

  test('an empty one says that nothing was granted, a missing one says nothing', async () => {
    expect((await read({ ...good, scope: '' })).grantedScopes).toEqual([])
    expect((await read(good)).grantedScopes).toBeNull()
  })

  test('is separated by commas at GitHub only', async () => {
    const { tokens } = await readTokenAnswer(answer({ ...good, scope: 'repo,gist' }), 'exchange', {
      ...context,
      provider: 'github',
    })
    expect(tokens.scope).toBe('repo gist')
    expect((await read({ ...good, scope: 'repo,gist' })).scope).toBe('repo,gist')
  })
})

describe('security 22: tokens', () => {
  const bad = [
    '',
    7,
    null,
    true,
    ['at'],
    { value: 'at' },
    'a\nb',
    'a\u0000b',
    'a\u007f',
    'ä',
    ' at',
    'at ',
    'a'.repeat(16_385),
  ]

  test.each(bad)('an access token %j is refused, in both modes', async (accessToken) => {
    for (const mode of ['exchange', 'refresh'] as const) {
      const failure = await failureOf(read({ ...good, access_token: accessToken }, mode))
      expect(failure.kind).toBe('unintelligible')
      expect(failure.message).toContain('no usable access_token')
    }
  })

  test.each([undefined, ...bad])('a refresh token %j is none', async (refreshToken) => {
    expect((await read({ ...good, refresh_token: refreshToken }, 'refresh')).refreshToken).toBeNull()
  })

  test('a long one passes', async () => {
    expect((await read({ ...good, access_token: 'a'.repeat(16_384) })).accessToken).toHaveLength(16_384)
  })

  test('other visible characters pass', async () => {
    expect((await read({ ...good, access_token: 'a/b+c=.~-_:| d' })).accessToken).toBe('a/b+c=.~-_:| d')
  })
})

describe('security 22: the form of the body', () => {
  const form = { type: 'application/x-www-form-urlencoded; charset=utf-8' }

  test('may be form-encoded', async () => {
    const tokens = await read(
      'access_token=at&scope=repo%2Cgist&token_type=bearer&expires_in=60',
      'exchange',
      form,
    )
    expect(tokens).toMatchObject({ accessToken: 'at', scope: 'repo,gist', tokenType: 'Bearer', expiresIn: 60 })
  })

  test('may be form-encoded and called plain text', async () => {
    expect((await read('access_token=at&expires=5', 'exchange', { type: 'text/plain' })).accessToken).toBe('at')
  })

  test('may be JSON under any name', async () => {
    for (const type of ['text/html', 'text/plain', 'text/javascript', 'application/vnd.x+json', 'garbage']) {
      expect((await read(`\uFEFF ${JSON.stringify(good)}`, 'exchange', { type })).accessToken).toBe('at')
    }
  })

  test('may carry a status other than 200 that means success', async () => {
    expect((await read(good, 'exchange', { status: 201 })).accessToken).toBe('at')
  })

  test.each([
    ['', 'an empty body'],
    ['{"access_token":"canary",', 'malformed JSON'],
    ['{"access_token":"canary"} trailing', 'malformed JSON'],
    ['["canary"]', 'something that is not JSON (application/json)'],
    ['"canary"', 'something that is not JSON (application/json)'],
    ['null', 'something that is not JSON (application/json)'],
    ['{"access_token":"at","access_token":"canary"}', 'JSON that repeats a field'],
    ['{"access_token":"at","access\\u005ftoken":"canary"}', 'JSON that repeats a field'],
    ['{}', 'no usable access_token'],
    ['{"x":'.repeat(5000), 'malformed JSON'],
  ])('%.50j is refused as %s', async (body, words) => {
    const failure = await failureOf(read(body))
    expect(failure.kind).toBe('unintelligible')
    expect(failure.message).toBe(`https://idp.example/token answered 200 with ${words}`)
  })

  test('HTML and repeated form fields are refused', async () => {
    const html = await failureOf(read('<html>canary</html>', 'exchange', { type: 'text/html' }))
    expect(html.message).toContain('something that is not JSON (text/html)')
    const twice = await failureOf(read('access_token=a&access_token=b', 'exchange', form))
    expect(twice.message).toContain('a form that repeats a field')
  })

  const twice =
    '{"access_token":"at2","refresh_token":"rt2","scope":"a","scope":"a b","expires_in":1,"expires_in":60}'

  test('repeated fields are refused when a code is exchanged, and do not cost a refresh its tokens', async () => {
    expect((await failureOf(read(twice))).message).toContain('JSON that repeats a field')
    expect(await read(twice, 'refresh')).toMatchObject({ accessToken: 'at2', refreshToken: 'rt2', expiresIn: 60 })
    const asForm = 'access_token=at2&refresh_token=rt2&scope=a&scope=a'
    expect((await read(asForm, 'refresh', form)).refreshToken).toBe('rt2')
  })

  test('a token repeated with one value is that token at a refresh, and one with two values is none', async () => {
    const same = '{"access_token":"at2","refresh_token":"rt2","access_token":"at2","refresh\\u005ftoken":"rt2"}'
    expect(await read(same, 'refresh')).toMatchObject({ accessToken: 'at2', refreshToken: 'rt2' })
    for (const name of ['access_token', 'refresh_token']) {
      const body = `{"access_token":"at2","refresh_token":"rt2","x":{"${name}":"no"},"${name}":"canary"}`
      expect((await failureOf(read(body, 'refresh'))).message).toContain('JSON that repeats a field')
    }
  })

  test('an error answer that repeats a field does not end a grant', async () => {
    const body = '{"error":"temporarily_unavailable","error":"invalid_grant"}'
    expect((await failureOf(read(body, 'refresh', { status: 400 }))).kind).toBe('unrecognized')
  })

  test('the fields are those that JSON.parse finds, however they are written', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(undefined, 2), (object, indent) => {
        const text = JSON.stringify(object, null, indent)
        expect(parseAnswerFields(text, null)).toEqual(new Map(Object.entries(JSON.parse(text))))
      }),
    )
  })

  test('fields repeated further down are nobody’s business', async () => {
    const body = '{"access_token":"at","x":{"a":1,"a":2},"y":[{"a":":"},"a:"],"a":3}'
    expect((await read(body)).accessToken).toBe('at')
  })

  test('a field named __proto__ is just an unknown field', async () => {
    expect((await read('{"access_token":"at","__proto__":{"refresh_token":"x"}}')).refreshToken).toBeNull()
  })
})

describe('security 22: the life of the refresh token', () => {
  test.each([
    [{ refresh_token_expires_in: 100 }, 100],
    [{ x_refresh_token_expires_in: '8726400' }, 8_726_400],
    [{ refresh_expires_in: 1800 }, 1800],
    [{ refresh_token_expires_in: 0, refresh_expires_in: 0 }, null],
    [{ refresh_token_expires_in: 'never' }, null],
    [{}, null],
  ])('%j', async (fields, seconds) => {
    const body = { ...good, refresh_token: 'rt', ...fields }
    expect((await read(body)).refreshTokenExpiresIn).toBe(seconds)
    expect((await read(body, 'refresh')).refreshTokenExpiresIn).toBe(seconds)
  })
})

test('security 22: a new refresh token beside an unusable access token is kept at a refresh, where the former may have ended', async () => {
  const body = { access_token: 'a\nb', refresh_token: 'rt2' }
  const failure = await failureOf(read(body, 'refresh'))
  expect(failure).toMatchObject({ kind: 'unintelligible', outcome: 'none' })
  expect(failure.rotated?.reveal()).toBe('rt2')
  expect(everythingShownOf(failure)).not.toContain('rt2')
  expect((await failureOf(read(body))).rotated).toBeUndefined()
})

test.each([
  ['a success without a token', {}, 200, 'unknown'],
  ['a page instead of a success', '<p>', 200, 'unknown'],
  ['a failing server', {}, 500, 'unknown'],
  ['a failing gateway', '<p>', 504, 'unknown'],
  ['too many requests', {}, 429, 'none'],
  ['a refusal', { error: 'invalid_grant' }, 400, 'none'],
  ['a refusal in a success', { error: 'invalid_grant' }, 200, 'none'],
  ['a refusal that fits no RFC', '', 403, 'none'],
])('whether the provider may have done it, after %s', async (_what, body, status, outcome) => {
  expect((await failureOf(read(body, 'refresh', { status }))).outcome).toBe(outcome)
})

describe('security 22: errors', () => {
  test('with status 200 are errors', async () => {
    expect((await failureOf(read({ error: 'invalid_grant' }))).kind).toBe('invalid_grant')
    expect((await failureOf(read({ error: 'invalid_grant', access_token: '' }, 'refresh'))).kind).toBe(
      'invalid_grant',
    )
    const form = { type: 'application/x-www-form-urlencoded' }
    expect((await failureOf(read('error=invalid_client', 'exchange', form))).kind).toBe('client')
  })

  test('that are empty or null are none', async () => {
    for (const error of ['', null, false]) expect((await read({ ...good, error })).accessToken).toBe('at')
  })

  test('beside a token count for a code, but do not cost a refresh its tokens', async () => {
    const both = { ...good, refresh_token: 'rt2', error: 'server_error' }
    expect((await failureOf(read(both))).kind).toBe('passing')
    expect((await read(both, 'refresh')).refreshToken).toBe('rt2')
  })

  test('with an error status are errors whatever the body holds', async () => {
    expect((await failureOf(read(good, 'refresh', { status: 400 }))).kind).toBe('unrecognized')
    expect((await failureOf(read('', 'refresh', { status: 400 }))).kind).toBe('unrecognized')
    expect((await failureOf(read('<html>', 'refresh', { status: 502, type: 'text/html' }))).kind).toBe('passing')
    expect((await failureOf(read({ error: 'go_away' }, 'refresh', { status: 403 }))).kind).toBe('unrecognized')
  })
})

describe('security 9 and 22: whatever comes', () => {
  const canary = 'CANARY-d41d8cd98f00b204e9800998ecf8427e'
  const value = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom(canary, `${canary}\n`, ` ${canary}`, [canary], { [canary]: canary }, -1, 1e308),
  )
  const fields = ['access_token', 'refresh_token', 'id_token', 'token_type', 'expires_in', 'scope', 'x']
  const object = fc.dictionary(fc.constantFrom(...fields, 'error', 'error_description'), value)
  const body = fc.oneof(
    object.map((o) => JSON.stringify(o)),
    // Cut anywhere: what JSON.parse would say of it quotes the canary.
    fc.tuple(object, fc.nat(200)).map(([o, end]) => JSON.stringify({ access_token: canary, ...o }).slice(0, end)),
    object.map((o) => new URLSearchParams(Object.entries(o).map(([k, v]) => [k, JSON.stringify(v)])).toString()),
    fc.string({ unit: 'binary' }).map((s) => s + canary),
  )
  const status = fc.constantFrom(200, 200, 200, 201, 400, 401, 403, 429, 500, 503)
  const type = fc.constantFrom('application/json', 'text/html', 'application/x-www-form-urlencoded', 'text/plain')

  test('it becomes tokens that fit the port, or a ProviderFailure that shows none of it', async () => {
    await fc.assert(
      fc.asyncProperty(
        body,
        status,
        type,
        fc.constantFrom<AnswerMode>('exchange', 'refresh'),
        async (b, s, t, mode) => {
          try {
            const { tokens } = await readTokenAnswer(answer(b, { status: s, type: t }), mode, context)
            expect(tokens.accessToken.reveal()).toMatch(/^[\x20-\x7e]{1,16384}$/)
            expect(tokens.refreshToken?.reveal() ?? 'none').toMatch(/^[\x20-\x7e]{1,16384}$/)
            expect(tokens.tokenType).toMatch(/^[\x21-\x7e]{1,64}$/)
            const { expiresIn } = tokens
            expect(
              expiresIn === null || (Number.isInteger(expiresIn) && expiresIn > 0 && expiresIn <= 315_360_000),
            ).toBe(true)
            expect(JSON.stringify(tokens)).not.toContain(`"accessToken":"${canary}`)
          } catch (error) {
            if (!(error instanceof ProviderFailure)) throw error
            expect(everythingShownOf(error)).not.toContain(canary)
          }
        },
      ),
      { numRuns: 2000 },
    )
  })
})
