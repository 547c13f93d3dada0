import { setTimeout as sleep } from 'node:timers/promises'
import { browse } from '@authconn/sandbox'
import { afterEach, describe, expect, test } from 'vitest'
import { expectProblem, useVault } from '../support/vault.ts'

const v = useVault()
afterEach(() => v.sandbox.faults.clear())

const redirect_uri = 'http://127.0.0.1:8080/callback'
const complete = (id: string, redirected_url: string, key?: string) =>
  v.call('completeAuthorization', { params: { id }, body: { redirected_url } }, key)
const edited = (url: string, edit: (params: URLSearchParams) => void) => {
  const copy = new URL(url)
  edit(copy.searchParams)
  return copy.href
}

describe('the authorization request', () => {
  test('carries state, nonce and an S256 challenge, each new every time, and never the verifier', async () => {
    const name = await v.createConnection()
    const requests = [(await v.consent(name)).authorizationUrl, (await v.consent(name)).authorizationUrl]
    for (const { searchParams } of requests) {
      expect(searchParams.get('response_type')).toBe('code')
      expect(searchParams.get('redirect_uri')).toBe(redirect_uri)
      expect(searchParams.get('scope')).toBe('openid email')
      expect(searchParams.get('code_challenge_method')).toBe('S256')
      expect(searchParams.get('code_challenge')).toMatch(/^[A-Za-z0-9_-]{43}$/)
      expect(searchParams.get('state')).toMatch(/^[A-Za-z0-9_-]{43}$/)
      expect(searchParams.get('nonce')).toMatch(/^[A-Za-z0-9_-]{43}$/)
      expect(searchParams.has('code_verifier')).toBe(false)
    }
    for (const each of ['state', 'nonce', 'code_challenge']) {
      expect(requests[0]?.searchParams.get(each)).not.toBe(requests[1]?.searchParams.get(each))
    }
  })

  test('has no nonce when openid is not asked', async () => {
    const { authorizationUrl } = await v.consent(await v.createConnection(), { scopes: ['api:read'] })
    expect(authorizationUrl.searchParams.has('nonce')).toBe(false)
  })
})

describe('200', () => {
  test('with plain OAuth scopes, without an ID token', async () => {
    const name = await v.createConnection()
    const { status, body } = await v.authorize(name, { scopes: ['api:read'] })
    expect(status).toBe(200)
    expect(body.grant).toMatchObject({ status: 'active', scope: 'api:read' })
  })

  test('for each subject with a grant of its own', async () => {
    const name = await v.createConnection()
    await v.authorize(name, { subject: 'user-1' })
    await v.authorize(name, { subject: 'user-2' })
    expectProblem(await v.call('getToken', { params: { name } }), 409, 'grant_pending')
    const tokens = await Promise.all(
      ['user-1', 'user-2'].map((subject) => v.call('getToken', { params: { name }, query: { subject } })),
    )
    expect(tokens[0]?.body.access_token).toBeTruthy()
    expect(tokens[0]?.body.access_token).not.toBe(tokens[1]?.body.access_token)
  })

  test('again after a revocation', async () => {
    const name = await v.createAuthorizedConnection()
    await v.call('revokeGrant', { params: { name }, body: {} })
    await v.authorize(name)
    expect((await v.call('getToken', { params: { name } })).status).toBe(200)
  })
})

describe('400', () => {
  test.each([
    ['another host', 'http://example.com/callback'],
    ['another scheme', 'https://127.0.0.1:8080/callback'],
    ['a fragment', `${redirect_uri}#x`],
  ])('redirect_uri_not_allowed for %s', async (_what, uri) => {
    const name = await v.createConnection()
    const body = { scopes: ['openid'], redirect_uri: uri }
    expectProblem(await v.call('startAuthorization', { params: { name }, body }), 400, 'redirect_uri_not_allowed')
  })

  test.each([
    ['a scope with a space', { scopes: ['a b'] }],
    ['a scope with a quote', { scopes: ['a"'] }],
    ['the same scope twice', { scopes: ['a', 'a'] }],
    ['scopes as text', { scopes: 'openid' }],
    ['a timeout of a day', { timeout: 86_400 }],
    ['a subject with a line break', { subject: 'a\nb' }],
    ['an unknown field', { state: 'mine' }],
  ])('invalid_request for %s', async (_what, given) => {
    const name = await v.createConnection()
    const body = { scopes: ['openid'], redirect_uri, ...given } as never
    expectProblem(await v.call('startAuthorization', { params: { name }, body }), 400, 'invalid_request')
  })

  test.each([
    ['another state', (params: URLSearchParams) => params.set('state', 'x'.repeat(43))],
    ['no state', (params: URLSearchParams) => params.delete('state')],
    ['the state twice', (params: URLSearchParams) => params.append('state', params.get('state') ?? '')],
  ])('callback_invalid for %s, and the true callback still works', async (_what, edit) => {
    const { id, redirectedUrl } = await v.consent(await v.createConnection())
    expectProblem(await complete(id, edited(redirectedUrl, edit)), 400, 'callback_invalid')
    expect((await complete(id, redirectedUrl)).status).toBe(200)
  })

  test('callback_invalid for another redirect URI, and for what is no URL', async () => {
    const { id, redirectedUrl } = await v.consent(await v.createConnection())
    expectProblem(await complete(id, redirectedUrl.replace(':8080', ':8081')), 400, 'callback_invalid')
    expectProblem(await complete(id, redirectedUrl.replace('/callback', '/other')), 400, 'callback_invalid')
    expectProblem(await complete(id, 'nonsense'), 400, 'callback_invalid')
    expect((await complete(id, redirectedUrl)).status).toBe(200)
  })

  test.each([
    ['the code twice', (params: URLSearchParams) => params.append('code', 'another')],
    ['the issuer twice', (params: URLSearchParams) => params.append('iss', params.get('iss') ?? '')],
    ['code and error together', (params: URLSearchParams) => params.append('error', 'access_denied')],
    ['no code', (params: URLSearchParams) => params.delete('code')],
  ])('callback_invalid for %s, without asking the provider', async (_what, edit) => {
    const before = v.sandbox.stats.tokenRequests.authorization_code ?? 0
    const { id, redirectedUrl } = await v.consent(await v.createConnection())
    expectProblem(await complete(id, edited(redirectedUrl, edit)), 400, 'callback_invalid')
    expect(v.sandbox.stats.tokenRequests.authorization_code ?? 0).toBe(before)
  })

  test('authorization_denied when the person says no, with the reason', async () => {
    const name = await v.createConnection()
    const body = { scopes: ['openid'], redirect_uri }
    const started = await v.call('startAuthorization', { params: { name }, body })
    const { redirectedUrl } = await browse(started.body.authorization_url, { consent: 'deny' })
    const answer = await complete(started.body.id, redirectedUrl)
    expectProblem(answer, 400, 'authorization_denied')
    expect(answer.body.detail).toContain('access_denied')
    const after = await v.call('getAuthorization', { params: { id: started.body.id } })
    expect(after.body).toMatchObject({ status: 'failed', failure: expect.stringContaining('access_denied') })
  })
})

test('invalid_request for an id in another spelling than that of a UUID alone', async () => {
  const id = crypto.randomUUID()
  for (const given of [`urn:uuid:${id}`, `{${id}}`, id.replaceAll('-', '')]) {
    const answer = await v.call('getAuthorization', { params: { id: given } })
    expectProblem(answer, 400, 'invalid_request')
    expect(answer.body.detail).toBe('/path/id must be: A UUID')
  }
  const answer = await v.call('getAuthorization', { params: { id: id.toUpperCase() } })
  expectProblem(answer, 404, 'authorization_not_found')
})

describe('404', () => {
  test('authorization_not_found for an id that is none', async () => {
    expectProblem(await complete(crypto.randomUUID(), redirect_uri), 404, 'authorization_not_found')
  })

  test('authorization_not_found for another caller than the one that began it', async () => {
    const other = await v.createCaller({ permissions: ['connection:authorize'] })
    const { id, redirectedUrl } = await v.consent(await v.createConnection())
    expectProblem(await complete(id, redirectedUrl, other), 404, 'authorization_not_found')
    expectProblem(await v.call('getAuthorization', { params: { id } }, other), 404, 'authorization_not_found')
    expectProblem(await v.call('cancelAuthorization', { params: { id } }, other), 404, 'authorization_not_found')
    expect((await complete(id, redirectedUrl)).status).toBe(200)
  })
})

describe('409', () => {
  test('authorization_over for a second use, without a second exchange', async () => {
    const { id, redirectedUrl } = await v.consent(await v.createConnection())
    const before = v.sandbox.stats.tokenRequests.authorization_code ?? 0
    const answers = await Promise.all([1, 2, 3].map(() => complete(id, redirectedUrl)))
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 409, 409])
    expectProblem(await complete(id, redirectedUrl), 409, 'authorization_over')
    expect(v.sandbox.stats.tokenRequests.authorization_code ?? 0).toBe(before + 1)
  })

  test('authorization_over after a cancellation', async () => {
    const { id, redirectedUrl } = await v.consent(await v.createConnection())
    await v.call('cancelAuthorization', { params: { id } })
    expectProblem(await complete(id, redirectedUrl), 409, 'authorization_over')
    expectProblem(await v.call('cancelAuthorization', { params: { id } }), 409, 'authorization_over')
  })

  test('authorization_over after its time', async () => {
    const name = await v.createConnection()
    const short = { scopes: ['openid'], redirect_uri, timeout: 10 }
    const started = await v.call('startAuthorization', { params: { name }, body: short })
    const { redirectedUrl } = await browse(started.body.authorization_url)
    await sleep(Date.parse(started.body.expires_at) - Date.now() + 200)
    expectProblem(await complete(started.body.id, redirectedUrl), 409, 'authorization_over')
    expect((await v.call('getAuthorization', { params: { id: started.body.id } })).body.status).toBe('expired')
  })

  test('authorization_not_found for a connection that was deleted before the callback came', async () => {
    const name = await v.createConnection()
    const { id, redirectedUrl } = await v.consent(name)
    await v.call('deleteConnection', { params: { name } })
    expectProblem(await complete(id, redirectedUrl), 404, 'authorization_not_found')
  })

  test.each([
    ['was cancelled', (id: string, _name: string) => v.call('cancelAuthorization', { params: { id } })],
    ['lost its connection', (_id: string, name: string) => v.call('deleteConnection', { params: { name } })],
  ])('authorization_over when it %s during the exchange, and its tokens are revoked', async (_what, meanwhile) => {
    const name = await v.createConnection()
    const { id, redirectedUrl } = await v.consent(name)
    v.sandbox.faults.set('token', { kind: 'slow', delayMs: 500 })
    const revocations = v.sandbox.stats.revocations
    const completing = complete(id, redirectedUrl)
    await sleep(200)
    expect((await meanwhile(id, name)).status).toBe(200)
    expectProblem(await completing, 409, 'authorization_over')
    expect(v.sandbox.stats.revocations).toBeGreaterThan(revocations)
    const token = await v.call('getToken', { params: { name } })
    expect(['grant_pending', 'connection_not_found']).toContain(token.body.code)
  })
})

describe('422', () => {
  test('issuer_mismatch for a response that names an issuer when the connection knows of none', async () => {
    const { issuer } = v.sandbox
    const name = await v.createConnection({
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
    })
    const answer = await v.authorize(name, { scopes: ['api:read'] })
    expectProblem(answer, 422, 'issuer_mismatch')
    expect(answer.body.hint).toContain('--issuer-url')
  })

  test('issuer_mismatch for a response of another issuer, without sending it the code', async () => {
    const before = v.sandbox.stats.tokenRequests.authorization_code ?? 0
    for (const edit of [
      (params: URLSearchParams) => params.set('iss', 'https://attacker.example'),
      (params: URLSearchParams) => params.delete('iss'),
    ]) {
      const { id, redirectedUrl } = await v.consent(await v.createConnection())
      expectProblem(await complete(id, edited(redirectedUrl, edit)), 422, 'issuer_mismatch')
    }
    expect(v.sandbox.stats.tokenRequests.authorization_code ?? 0).toBe(before)
  })

  test('code_rejected for a code that the provider does not know, and nothing is stored', async () => {
    const name = await v.createConnection()
    const { id, redirectedUrl } = await v.consent(name)
    const answer = await complete(
      id,
      edited(redirectedUrl, (params) => params.set('code', 'made-up-code')),
    )
    expectProblem(answer, 422, 'code_rejected')
    expect(JSON.stringify(answer.body)).not.toContain('made-up-code')
    expectProblem(await v.call('getToken', { params: { name } }), 409, 'grant_pending')
  })

  test('client_rejected for a wrong client secret, which is not repeated', async () => {
    const name = await v.createConnection({ client_secret: 'not-the-secret' })
    const answer = await v.authorize(name)
    expectProblem(answer, 422, 'client_rejected')
    expect(JSON.stringify(answer.body)).not.toContain('not-the-secret')
  })

  test.each(['wrong_id_token_signature', 'wrong_nonce', 'wrong_audience', 'expired_id_token'] as const)(
    'id_token_invalid for %s, and nothing is stored',
    async (kind) => {
      const name = await v.createConnection()
      const { id, redirectedUrl } = await v.consent(name)
      v.sandbox.faults.set('token', { kind })
      const revocations = v.sandbox.stats.revocations
      expectProblem(await complete(id, redirectedUrl), 422, 'id_token_invalid')
      expect(v.sandbox.stats.revocations, 'both its tokens are revoked').toBe(revocations + 2)
      expectProblem(await v.call('getToken', { params: { name } }), 409, 'grant_pending')
    },
  )
})

describe('5xx', () => {
  test.each([
    ['a provider that fails', { kind: 'status', status: 500 }, 503, 'provider_unavailable'],
    ['a provider that hangs', { kind: 'hang' }, 503, 'provider_unavailable'],
    ['a provider that hangs up', { kind: 'reset' }, 503, 'provider_unavailable'],
    ['half an answer', { kind: 'truncated_json' }, 502, 'provider_answer_invalid'],
    ['a page', { kind: 'html' }, 502, 'provider_answer_invalid'],
    ['an endless answer', { kind: 'huge' }, 502, 'provider_answer_invalid'],
    ['a redirect', { kind: 'redirect' }, 502, 'provider_answer_invalid'],
  ] as const)('for %s', async (_what, fault, status, code) => {
    const { id, redirectedUrl } = await v.consent(await v.createConnection())
    v.sandbox.faults.set('token', fault)
    expectProblem(await complete(id, redirectedUrl), status, code)
  })
})
