import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createValidateIdToken } from '../../src/adapters/oauth/id-token.ts'
import type { AuthorizationRequest, OAuthClient } from '../../src/core/oauth-port.ts'
import { Secret } from '../../src/core/secret.ts'
import { clientOf, endpoints, idp, requestOf } from './support/clients.ts'
import { openDoor } from './support/doors.ts'
import { everythingShownOf, failureOf } from './support/failures.ts'
import { assemble, createSigningKey } from './support/signing.ts'

const key = createSigningKey('key-1')
const now = Math.floor(Date.now() / 1000)
const claims = { iss: idp, sub: 'canary-subject', aud: 'client-id', iat: now, exp: now + 300, nonce: 'nonce-1' }
const openid = requestOf({ scopes: ['openid'], nonce: 'nonce-1' })

interface Case {
  idToken: string | null
  client?: OAuthClient
  request?: AuthorizationRequest
  grantedScopes?: string[] | null
  keys?: Record<string, unknown>[]
  status?: number
}

const exampleTokens = {
  accessToken: new Secret('at'),
  tokenType: 'Bearer',
  expiresIn: null,
  expiryAssumed: false,
  refreshToken: null,
  refreshTokenExpiresIn: null,
  scope: null,
}

/** The same key under many key ids, since making one takes a while. */
function createEachKey(index: number) {
  return { sign: (claims: object) => key.sign(claims, { alg: 'RS256', kid: `made-up-${index}` }) }
}

function setUp(
  keys: () => Record<string, unknown>[] = () => [key.jwk],
  status = 200,
  clock?: () => number,
  headers: Record<string, string> = { 'content-type': 'application/jwk-set+json' },
) {
  const fetched: string[] = []
  const transport = async (url: URL) => {
    fetched.push(url.href)
    return new Response(JSON.stringify({ keys: keys() }), { status, headers })
  }
  const validate = createValidateIdToken(openDoor({ allowLoopback: false, transport }), clock)
  return { validate, fetched }
}

async function validate({
  idToken,
  client = clientOf(),
  request = openid,
  grantedScopes = null,
  keys,
  status,
}: Case) {
  await setUp(() => keys ?? [key.jwk], status).validate(client, request, {
    idToken,
    tokens: exampleTokens,
    grantedScopes,
  })
}

const withoutKeys = () => {
  const { jwks_uri: _, ...others } = endpoints
  return clientOf({ endpoints: others })
}

describe('security 15 and 17: an ID token', () => {
  test('by the book passes', async () => {
    await validate({ idToken: key.sign(claims) })
    await validate({ idToken: key.sign({ ...claims, azp: 'client-id' }) })
    await validate({ idToken: key.sign({ ...claims, aud: ['client-id', 'other'], azp: 'client-id' }) })
  })

  const { nonce: _, ...withoutNonce } = claims
  const bad: Record<string, string> = {
    'of another issuer': key.sign({ ...claims, iss: 'https://evil.example' }),
    'for another audience': key.sign({ ...claims, aud: 'other' }),
    'for several audiences without an authorized party': key.sign({ ...claims, aud: ['client-id', 'other'] }),
    'for another authorized party': key.sign({ ...claims, azp: 'other' }),
    'that is expired': key.sign({ ...claims, exp: now - 60 }),
    'that is not valid yet': key.sign({ ...claims, nbf: now + 600 }),
    'without an expiry': key.sign({ ...claims, exp: undefined }),
    'without a subject': key.sign({ ...claims, sub: undefined }),
    'without an issuer': key.sign({ ...claims, iss: undefined }),
    'with another nonce': key.sign({ ...claims, nonce: 'nonce-2' }),
    'without the nonce': key.sign(withoutNonce),
    'signed by a key that the provider does not have': createSigningKey('key-1').sign(claims),
    'signed by an unknown key id': createSigningKey('key-9').sign(claims),
    'that was changed after signing': key.sign(claims).replace(/^([^.]+)\.([^.]+)/, (_m, header: string) => {
      return `${header}.${Buffer.from(JSON.stringify({ ...claims, sub: 'someone else' })).toString('base64url')}`
    }),
    'that is not signed (alg none)': assemble({ alg: 'none' }, claims),
    'with no signature': assemble({ alg: 'RS256', kid: 'key-1' }, claims),
    'with a critical header': key.sign(claims, { alg: 'RS256', kid: 'key-1', crit: ['x'] }),
    'that is encrypted': 'a.b.c.d.e',
    'that is no JWT': 'canary-subject',
    'that is no JSON': `${Buffer.from('{"canary-subject').toString('base64url')}.a.b`,
    'of empty parts': '..',
  }

  test.each(Object.entries(bad))('%s is refused', async (_name, idToken) => {
    const failure = await failureOf(validate({ idToken }))
    expect(failure.kind).toBe('id_token')
    expect(everythingShownOf(failure)).not.toContain('canary-subject')
    expect(everythingShownOf(failure)).not.toContain(idToken)
  })

  test('signed with the client secret (HS256) is refused, with and without keys', async () => {
    const unsigned = assemble({ alg: 'HS256' }, claims).slice(0, -1)
    const secret = 'client-secret-0123456789'
    const idToken = `${unsigned}.${createHmac('sha256', secret).update(unsigned).digest('base64url')}`
    expect((await failureOf(validate({ idToken }))).kind).toBe('id_token')
    expect((await failureOf(validate({ idToken, client: withoutKeys() }))).kind).toBe('id_token')
  })

  test('without a jwks_uri passes unverified, since it came over TLS; its claims and alg are still checked', async () => {
    const client = withoutKeys()
    await validate({ idToken: assemble({ alg: 'RS256' }, claims, 'c2lnbmF0dXJl'), client })
    expect((await failureOf(validate({ idToken: assemble({ alg: 'none' }, claims), client }))).kind).toBe(
      'id_token',
    )
    const other = assemble({ alg: 'RS256' }, { ...claims, aud: 'other' }, 'c2ln')
    expect((await failureOf(validate({ idToken: other, client }))).kind).toBe('id_token')
  })

  test('of a connection without an issuer is checked for all but the issuer', async () => {
    const client = clientOf({ issuer: null })
    await validate({ idToken: key.sign({ ...claims, iss: 'https://whoever.example' }), client })
    expect((await failureOf(validate({ idToken: key.sign({ ...claims, aud: 'x' }), client }))).kind).toBe(
      'id_token',
    )
    expect((await failureOf(validate({ idToken: key.sign({ ...claims, iss: undefined }), client }))).kind).toBe(
      'id_token',
    )
  })

  test('that nobody asked for is checked all the same', async () => {
    const request = requestOf()
    await validate({ idToken: key.sign(withoutNonce), request })
    expect((await failureOf(validate({ idToken: key.sign({ ...withoutNonce, aud: 'x' }), request }))).kind).toBe(
      'id_token',
    )
  })
})

describe('a missing ID token', () => {
  test('is refused where openid was granted, or asked without another word', async () => {
    for (const grantedScopes of [null, ['openid', 'email']]) {
      expect((await failureOf(validate({ idToken: null, grantedScopes }))).kind).toBe('id_token')
    }
  })

  test('is no loss where openid was not asked or not granted, or the provider is not said to know it', async () => {
    await validate({ idToken: null, request: requestOf() })
    await validate({ idToken: null, grantedScopes: [] })
    await validate({ idToken: null, grantedScopes: ['repo'] })
    await validate({ idToken: null, client: clientOf({ issuer: null }) })
  })
})

describe('providers of the catalog', () => {
  const tid = '72f988bf-86f1-41af-91ab-2d7cd011db47'
  const of = (tenant: string) => `https://login.microsoftonline.com/${tenant}/v2.0`
  const microsoft = (issuer: string) => clientOf({ provider: 'microsoft', issuer })

  test('Microsoft: an open issuer becomes the tenant that tid names', async () => {
    await validate({ idToken: key.sign({ ...claims, iss: of(tid), tid }), client: microsoft(of('{tenantid}')) })
  })

  test.each([
    ['tid of another tenant', { iss: of(tid), tid: '11111111-1111-1111-1111-111111111111' }],
    ['no tid', { iss: of(tid) }],
    ['a tid that is no tenant', { iss: of('common'), tid: 'common' }],
    ['a tid that leads elsewhere', { iss: 'https://login.microsoftonline.com/x/../y/v2.0', tid: 'x/../y' }],
    ['the open issuer itself', { iss: of('{tenantid}'), tid: '{tenantid}' }],
    ['a foreign issuer', { iss: `https://evil.example/${tid}/v2.0`, tid }],
  ])('Microsoft: %s is refused', async (_, changes) => {
    const idToken = key.sign({ ...claims, ...changes })
    expect((await failureOf(validate({ idToken, client: microsoft(of('{tenantid}')) }))).kind).toBe('id_token')
  })

  test('Microsoft: a pinned tenant admits no other', async () => {
    const other = '11111111-1111-1111-1111-111111111111'
    const idToken = key.sign({ ...claims, iss: of(other), tid: other })
    expect((await failureOf(validate({ idToken, client: microsoft(of(tid)) }))).kind).toBe('id_token')
  })

  test('Google: the issuer may come without https://', async () => {
    const client = clientOf({ provider: 'google', issuer: 'https://accounts.google.com' })
    await validate({ idToken: key.sign({ ...claims, iss: 'accounts.google.com' }), client })
    await validate({ idToken: key.sign({ ...claims, iss: 'https://accounts.google.com' }), client })
    const elsewhere = clientOf({ issuer: 'https://accounts.google.com' })
    const idToken = key.sign({ ...claims, iss: 'accounts.google.com' })
    expect((await failureOf(validate({ idToken, client: elsewhere }))).kind).toBe('id_token')
  })

  test('QuickBooks: the nonce may be missing, but not wrong', async () => {
    const client = clientOf({ provider: 'quickbooks' })
    await validate({ idToken: key.sign({ ...claims, nonce: undefined }), client })
    await validate({ idToken: key.sign(claims), client })
    expect((await failureOf(validate({ idToken: key.sign({ ...claims, nonce: 'x' }), client }))).kind).toBe(
      'id_token',
    )
  })
})

describe('the keys of a provider', () => {
  test('are fetched once for many ID tokens', async () => {
    const { validate: check, fetched } = setUp()
    const answer = { idToken: key.sign(claims), grantedScopes: null, tokens: exampleTokens }
    for (let index = 0; index < 5; index++) await check(clientOf(), openid, answer)
    expect(fetched).toEqual(['https://idp.example/jwks'])
  })

  describe('security 17: that change', () => {
    const next = createSigningKey('key-2')
    const madeUp = createSigningKey('made-up')
    const answerTo = (idToken: string) => ({ idToken, grantedScopes: null, tokens: exampleTokens })
    let published = [key.jwk]
    let now = 0
    const rotating = () => {
      published = [key.jwk]
      now = 0
      return setUp(
        () => published,
        200,
        () => now,
      )
    }

    test('are fetched once more for the unknown key id, at once', async () => {
      const { validate: check, fetched } = rotating()
      await check(clientOf(), openid, answerTo(key.sign(claims)))
      published = [next.jwk]
      await check(clientOf(), openid, answerTo(next.sign(claims)))
      await check(clientOf(), openid, answerTo(next.sign(claims)))
      expect(fetched).toHaveLength(2)
    })

    test('and are not when the key is refused for another reason', async () => {
      const { validate: check, fetched } = rotating()
      await check(clientOf(), openid, answerTo(key.sign(claims)))
      await failureOf(check(clientOf(), openid, answerTo(createSigningKey('key-1').sign(claims))))
      expect(fetched).toHaveLength(1)
    })

    test('are fetched once for an unknown key id when there were none before', async () => {
      const { validate: check, fetched } = rotating()
      expect((await failureOf(check(clientOf(), openid, answerTo(madeUp.sign(claims))))).kind).toBe('id_token')
      expect(fetched).toHaveLength(1)
    })

    test('are fetched again once a minute at most, whatever key ids come', async () => {
      const { validate: check, fetched } = rotating()
      await check(clientOf(), openid, answerTo(key.sign(claims)))
      for (let index = 0; index < 20; index++) {
        now += 2_900
        const idToken = createEachKey(index).sign(claims)
        expect((await failureOf(check(clientOf(), openid, answerTo(idToken)))).kind).toBe('id_token')
      }
      expect(fetched).toHaveLength(2)
      now += 60_000
      published = [next.jwk]
      await check(clientOf(), openid, answerTo(next.sign(claims)))
      expect(fetched).toHaveLength(3)
    })

    test('are known to all who validate at the same moment', async () => {
      const { validate: check } = rotating()
      await check(clientOf(), openid, answerTo(key.sign(claims)))
      published = [next.jwk]
      const many = Array.from({ length: 5 }, () => check(clientOf(), openid, answerTo(next.sign(claims))))
      await expect(Promise.all(many)).resolves.toHaveLength(5)
    })
  })

  test.each([
    ['another media type', { 'content-type': 'text/html' }, 'something that is not JSON (text/html)'],
    ['none', { 'content-type': '' }, 'no media type of JSON'],
  ])('security 21: with %s are not taken', async (_what, headers, words) => {
    const { validate: check } = setUp(() => [key.jwk], 200, undefined, headers)
    const answer = { idToken: key.sign(claims), grantedScopes: null, tokens: exampleTokens }
    const failure = await failureOf(check(clientOf(), openid, answer))
    expect(failure.kind).toBe('unintelligible')
    expect(failure.message).toContain(words)
  })

  test('security 21: that are more than anyone has are not looked through', async () => {
    const { validate: check } = setUp(() => Array.from({ length: 101 }, () => key.jwk))
    const answer = { idToken: key.sign(claims), grantedScopes: null, tokens: exampleTokens }
    expect((await failureOf(check(clientOf(), openid, answer))).message).toContain('more than 100')
  })

  test('that cannot be read for a passing reason are a passing failure', async () => {
    expect((await failureOf(validate({ idToken: key.sign(claims), status: 503 }))).kind).toBe('passing')
    expect((await failureOf(validate({ idToken: key.sign(claims), status: 404 }))).kind).toBe('unintelligible')
  })

  test('security 20: at a private address are not fetched', async () => {
    const client = clientOf({ endpoints: { ...endpoints, jwks_uri: 'https://10.0.0.1/jwks' } })
    expect((await failureOf(validate({ idToken: key.sign(claims), client }))).kind).toBe('address')
  })

  test('that are malformed are an ID token failure', async () => {
    for (const keys of [[{ kty: 'RSA', kid: 'key-1' }], [{ ...key.jwk, n: '!' }], []]) {
      expect((await failureOf(validate({ idToken: key.sign(claims), keys }))).kind).toBe('id_token')
    }
  })
})
