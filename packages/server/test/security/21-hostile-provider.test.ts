import { createPublicKey } from 'node:crypto'
import type { ErrorCode } from '@authconn/shared'
import { errorTable } from '@authconn/shared'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { assemble } from '../oauth/support/signing.ts'
import { expectProblem, useVault } from '../support/vault.ts'
import {
  type Plan,
  shortJwk,
  signByText,
  startHostileProvider,
  strangeKey,
  unknownKey,
} from './support/hostile-provider.ts'
import { wire } from './support/misbehaviours.ts'

// One misbehaviour after the other, through the whole vault: what its caller is told, in what time, and that nothing of it
// is kept.

const clientSecret = 'canary-client-secret-0123456789'
const v = useVault({ environment: { AUTHCONN_PROVIDER_TIMEOUT: '1', AUTHCONN_REFRESH_TIMEOUT: '1' } })
let provider: Awaited<ReturnType<typeof startHostileProvider>>
beforeAll(async () => {
  provider = await startHostileProvider()
})
afterAll(() => provider.stop())

/** Two calls that each use up their second, and the database. */
const bound = 3500

const connect = (given: object = {}) =>
  v.call('createConnection', {
    body: {
      name: `h-${crypto.randomUUID().slice(0, 8)}`,
      provider_url: provider.origin,
      client_id: 'hostile',
      client_secret: clientSecret,
      ...given,
    },
  })

async function begin(scopes = ['openid']) {
  provider.plan({})
  const { body: connection } = await connect()
  const started = await v.call('startAuthorization', {
    params: { name: connection.name },
    body: { scopes, redirect_uri: 'http://127.0.0.1:8080/callback' },
  })
  expect(started.status, JSON.stringify(started.body)).toBe(201)
  return {
    name: connection.name as string,
    id: started.body.id as string,
    url: new URL(started.body.authorization_url),
  }
}

const complete = (id: string, redirected_url: string) =>
  v.call('completeAuthorization', { params: { id }, body: { redirected_url } })

/** The answer, in time, with its own documented code, and without anything that was sent to the provider. */
async function expectRefusal(asking: Promise<Parameters<typeof expectProblem>[0]>, code: ErrorCode) {
  const started = performance.now()
  const answer = await asking
  expect(performance.now() - started, 'milliseconds').toBeLessThan(bound)
  expectProblem(answer, errorTable[code].status, code)
  expect(JSON.stringify(answer.body)).not.toContain(clientSecret)
  return answer
}

async function expectNothingKept(name: string) {
  expectProblem(await v.call('getToken', { params: { name } }), 409, 'grant_pending')
}

test('security 21: the provider, when it is honest, is taken at its word', async () => {
  const { id, url } = await begin()
  const answer = await complete(id, provider.redirect(url))
  expect(answer.status, JSON.stringify(answer.body)).toBe(200)
})

describe('security 17: metadata that is not created a connection from', () => {
  const metadata: [string, Plan, ErrorCode][] = [
    ['of another issuer', { metadata: (m) => ({ ...m, issuer: 'https://evil.example' }) }, 'issuer_mismatch'],
    [
      'of an issuer with a slash too many',
      { metadata: (m) => ({ ...m, issuer: `${m.issuer}/x` }) },
      'issuer_mismatch',
    ],
    ['without an issuer', { metadata: ({ issuer: _, ...m }) => m }, 'discovery_failed'],
    ['without a token endpoint', { metadata: ({ token_endpoint: _, ...m }) => m }, 'discovery_failed'],
    [
      'with a token endpoint at the metadata service',
      { metadata: (m) => ({ ...m, token_endpoint: 'https://169.254.169.254/token' }) },
      'provider_address_refused',
    ],
    ['with plain http', { metadata: (m) => ({ ...m, jwks_uri: 'http://idp.example/jwks' }) }, 'discovery_failed'],
    [
      'with a script for an endpoint',
      { metadata: (m) => ({ ...m, authorization_endpoint: 'javascript:alert(1)' }) },
      'discovery_failed',
    ],
    [
      'that offers plain PKCE only',
      { metadata: (m) => ({ ...m, code_challenge_methods_supported: ['plain'] }) },
      'pkce_unsupported',
    ],
    [
      'that offers no client authentication with a secret',
      { metadata: (m) => ({ ...m, token_endpoint_auth_methods_supported: ['none'] }) },
      'auth_method_unsupported',
    ],
    ...(
      [
        'a page',
        'a redirect to the metadata service',
        'an endless body',
        'a gzip bomb',
        'endless headers',
        'headers that trickle in',
        'no answer at all',
        'a reset',
        'nesting that ends, and nothing else',
        'a list',
        'bytes that are not UTF-8',
      ] as const
    ).map((name): [string, Plan, ErrorCode] => [
      `in the place of which comes ${name}`,
      { metadataWire: wire[name] },
      'discovery_failed',
    ]),
  ]

  test.each(metadata)('%s', async (_what, plan, code) => {
    provider.plan(plan)
    await expectRefusal(connect(), code)
  })
})

describe('security 15 and 16: an authorization response that is not taken', () => {
  const responses: [string, (p: URLSearchParams) => void, ErrorCode][] = [
    ['that names another issuer (mix-up)', (p) => p.set('iss', 'https://evil.example'), 'issuer_mismatch'],
    ['that names no issuer, though the provider says it always does', (p) => p.delete('iss'), 'issuer_mismatch'],
    ['with another state', (p) => p.set('state', 'x'.repeat(43)), 'callback_invalid'],
    ['without a state', (p) => p.delete('state'), 'callback_invalid'],
    ['with two codes', (p) => p.append('code', 'other'), 'callback_invalid'],
    ['with a code and an error', (p) => p.set('error', 'access_denied'), 'callback_invalid'],
    ['with an ID token', (p) => p.set('id_token', 'x'), 'callback_invalid'],
    [
      'with an error in many words',
      (p) => {
        p.delete('code')
        p.set('error', 'server_error')
        p.set('error_description', `<script>${'x'.repeat(9000)}\u001b[31m`)
      },
      'authorization_denied',
    ],
  ]

  test.each(responses)('%s', async (_what, change, code) => {
    const { name, id, url } = await begin()
    const answer = await expectRefusal(complete(id, provider.redirect(url, change)), code)
    expect(JSON.stringify(answer.body)).not.toContain('\\u001b')
    expect(answer.body.detail.length).toBeLessThan(400)
    expect(provider.requests).not.toContain('POST /token')
    await expectNothingKept(name)
  })

  test('that was taken before (a replayed code)', async () => {
    const { id, url } = await begin()
    const redirected = provider.redirect(url)
    expect((await complete(id, redirected)).status).toBe(200)
    await expectRefusal(complete(id, redirected), 'authorization_over')
    expect(provider.requests.filter((request) => request === 'POST /token')).toHaveLength(1)
  })

  test('of another authorization', async () => {
    const [one, other] = [await begin(), await begin()]
    await expectRefusal(complete(one.id, provider.redirect(other.url)), 'callback_invalid')
  })
})

describe('security 17: an ID token that is not taken', () => {
  const now = () => Math.floor(Date.now() / 1000)
  const publicPem = () =>
    createPublicKey({ key: provider.key.jwk as never, format: 'jwk' })
      .export({ type: 'spki', format: 'pem' })
      .toString()
  const idTokens: [string, Plan][] = [
    ['without a signature (alg none)', { idToken: (claims) => assemble({ alg: 'none' }, claims) }],
    ['with alg None, in capitals', { idToken: (claims) => assemble({ alg: 'NONE' }, claims) }],
    ['with an empty signature', { idToken: (claims) => assemble({ alg: 'RS256', kid: 'key-1' }, claims) }],
    [
      'signed by HS256 with the client secret',
      { idToken: (claims) => signByText({ alg: 'HS256' }, claims, clientSecret) },
    ],
    [
      'signed by HS256 with the public key',
      { idToken: (claims) => signByText({ alg: 'HS256', kid: 'key-1' }, claims, publicPem()) },
    ],
    [
      'signed by a key in its own header',
      { idToken: (claims) => strangeKey.sign(claims, { alg: 'RS256', jwk: strangeKey.jwk }) },
    ],
    ['signed by another key under the same id', { idToken: (claims) => strangeKey.sign(claims) }],
    ['signed by a key that is not published', { idToken: (claims) => unknownKey.sign(claims) }],
    [
      'with a critical header',
      { idToken: (claims) => provider.key.sign(claims, { alg: 'RS256', kid: 'key-1', crit: ['x'] }) },
    ],
    ['that is encrypted', { idToken: () => 'a.b.c.d.e' }],
    ['that is an object', { idToken: (claims) => claims }],
    ['that is not there', { idToken: () => undefined }],
    ['of another issuer', { claims: (c) => ({ ...c, iss: 'https://evil.example' }) }],
    ['for another audience', { claims: (c) => ({ ...c, aud: 'other' }) }],
    ['for several audiences and no party', { claims: (c) => ({ ...c, aud: ['hostile', 'other'] }) }],
    ['for another authorized party', { claims: (c) => ({ ...c, azp: 'other' }) }],
    ['that has expired', { claims: (c) => ({ ...c, exp: now() - 60 }) }],
    ['that never expires', { claims: ({ exp: _, ...c }) => c }],
    ['issued in an hour', { claims: (c) => ({ ...c, iat: now() + 3600, exp: now() + 7200 }) }],
    ['not valid before an hour', { claims: (c) => ({ ...c, nbf: now() + 3600 }) }],
    ['without a subject', { claims: ({ sub: _, ...c }) => c }],
    ['with another nonce', { claims: (c) => ({ ...c, nonce: 'swapped' }) }],
    ['without the nonce', { claims: ({ nonce: _, ...c }) => c }],
  ]

  test.each(idTokens)('%s', async (_what, plan) => {
    const { name, id, url } = await begin()
    provider.plan(plan)
    const answer = await expectRefusal(complete(id, provider.redirect(url)), 'id_token_invalid')
    expect(JSON.stringify(answer.body)).not.toContain('alice')
    // The tokens beside it are not kept, and must not stay alive.
    expect(provider.requests).toContain('POST /revoke')
    await expectNothingKept(name)
  })

  const keySets: [string, Plan, ErrorCode][] = [
    ['endless', { jwksWire: wire['an endless body'] }, 'provider_answer_invalid'],
    ['a gzip bomb', { jwksWire: wire['a gzip bomb'] }, 'provider_answer_invalid'],
    ['a page', { jwksWire: wire['a page'] }, 'provider_answer_invalid'],
    ['elsewhere', { jwksWire: wire['a redirect to another host'] }, 'provider_answer_invalid'],
    [
      'a thousand keys',
      { jwks: ([key = {}]) => Array.from({ length: 1000 }, () => key) },
      'provider_answer_invalid',
    ],
    ['nowhere to be had', { jwksWire: wire['no answer at all'] }, 'provider_unavailable'],
    ['a list with an encryption key only', { jwks: ([key]) => [{ ...key, use: 'enc' }] }, 'id_token_invalid'],
    ['a list with a short key only', { jwks: () => [{ ...shortJwk(), kid: 'key-1' }] }, 'id_token_invalid'],
    ['empty', { jwks: () => [] }, 'id_token_invalid'],
    [
      'one with the secret of HS256 in it',
      {
        idToken: (claims) => signByText({ alg: 'HS256', kid: 'sym' }, claims, Buffer.from('secret')),
        jwks: (keys) => [
          ...keys,
          { kty: 'oct', kid: 'sym', alg: 'HS256', k: Buffer.from('secret').toString('base64url') },
        ],
      },
      'id_token_invalid',
    ],
  ]

  test.each(keySets)('whose key set is %s', async (_what, plan, code) => {
    // A provider of its own, since keys that were fetched are kept for a while.
    const before = provider
    provider = await startHostileProvider()
    try {
      const { name, id, url } = await begin()
      provider.plan(plan)
      await expectRefusal(complete(id, provider.redirect(url)), code)
      await expectNothingKept(name)
    } finally {
      provider.stop()
      provider = before
    }
  })
})

describe('security 21: a token endpoint that answers with', () => {
  const slow = [
    'headers that trickle in',
    'a body that trickles in',
    'an announced body that stops',
    'no answer at all',
    'an endless flood of 103',
    'an endless flood of 100',
    'an endless status line',
    'an endless chunk extension',
  ]
  const broken = ['a reset', 'a switch of protocols', 'an end before the answer', 'an end inside the body']
  const codeOf = (name: string): ErrorCode => {
    if (slow.includes(name) || broken.includes(name)) return 'provider_unavailable'
    return name === 'an error under status 200' ? 'code_rejected' : 'provider_answer_invalid'
  }

  test.each(Object.keys(wire) as (keyof typeof wire)[])('%s', async (what) => {
    const { name, id, url } = await begin()
    provider.plan({ tokenWire: wire[what] })
    const code = codeOf(what)
    const answer = await expectRefusal(complete(id, provider.redirect(url)), code)
    if (code === 'provider_unavailable') expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
    expect(provider.requests.filter((request) => request === 'POST /token')).toHaveLength(1)
    await expectNothingKept(name)
  })
})
