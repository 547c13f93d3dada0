import { createServer } from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import { beginLogin } from '../../src/login/oidc-provider.ts'

const redirectUri = 'http://127.0.0.1:8080/callback'
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

interface Provider {
  issuer: string
  /** The form that the token endpoint was sent last. */
  form: URLSearchParams
  metadata: Record<string, unknown>
  /** In place of the right claims, given what was asked for. */
  claims: Record<string, unknown>
  answer: Record<string, unknown> | undefined
}

/** A provider of the plainest kind, which gives a code to everybody, and tokens as the test says. */
async function createProvider(): Promise<Provider> {
  const provider: Provider = {
    issuer: '',
    form: new URLSearchParams(),
    metadata: {},
    claims: {},
    answer: undefined,
  }
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const send = (status: number, value: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    if (request.method === 'GET') {
      const { issuer } = provider
      send(200, {
        issuer,
        authorization_endpoint: `${issuer}/authorize?tenant=1`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/keys`,
        authorization_response_iss_parameter_supported: true,
        ...provider.metadata,
      })
      return
    }
    provider.form = new URLSearchParams(body)
    const now = Math.floor(Date.now() / 1000)
    const claims = { iss: provider.issuer, aud: 'cli', sub: 'alice', iat: now, exp: now + 300, ...provider.claims }
    const id_token = `${encode({ alg: 'RS256' })}.${encode(claims)}.c2lnbmF0dXJl`
    const answer = { access_token: 'at-canary', token_type: 'bearer', id_token }
    send(provider.answer?.error ? 400 : 200, provider.answer ?? answer)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    return new Promise<void>((resolve) => server.close(() => resolve()))
  })
  const address = server.address()
  provider.issuer = `http://127.0.0.1:${typeof address === 'object' ? address?.port : undefined}`
  return provider
}

const { signal } = new AbortController()
const begin = ({ issuer }: Provider, clientSecret?: string) =>
  beginLogin({ issuer, clientId: 'cli', scopes: ['email'], clientSecret, nonce: 'the-nonce' }, redirectUri, signal)

/** The whole flow; `changes` are made to the address that the browser ends on. */
async function logIn(provider: Provider, changes: Record<string, string | undefined> = {}, clientSecret?: string) {
  const begun = await begin(provider, clientSecret)
  const asked = new URL(begun.url).searchParams
  if (!('nonce' in provider.claims)) provider.claims.nonce = asked.get('nonce')
  const end = new URL(redirectUri)
  const parameters = { code: 'code-canary', state: begun.state, iss: provider.issuer, ...changes }
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined) end.searchParams.set(name, value)
  return { asked, token: await begun.finish(end.href) }
}

const refusal = async (work: Promise<unknown>) => {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return error as { code: string; detail: string }
}

test('the code is exchanged with the verifier, by a client without a secret', async () => {
  const provider = await createProvider()
  const { asked, token } = await logIn(provider)
  expect(token.split('.')).toHaveLength(3)
  expect(Object.fromEntries(asked)).toMatchObject({
    tenant: '1',
    response_type: 'code',
    client_id: 'cli',
    redirect_uri: redirectUri,
    scope: 'openid email',
    code_challenge_method: 'S256',
  })
  const { code_verifier: verifier = '', ...sent } = Object.fromEntries(provider.form)
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))
  expect(Buffer.from(digest).toString('base64url')).toBe(asked.get('code_challenge'))
  expect(sent).toEqual({
    grant_type: 'authorization_code',
    code: 'code-canary',
    redirect_uri: redirectUri,
    client_id: 'cli',
  })
})

test('a secret goes along where the provider wants one of native clients too', async () => {
  const provider = await createProvider()
  await logIn(provider, {}, 'no-secret')
  expect(provider.form.get('client_secret')).toBe('no-secret')
})

test('each login has a state and a verifier of its own, and the nonce that it is given', async () => {
  const provider = await createProvider()
  const urls = [new URL((await begin(provider)).url), new URL((await begin(provider)).url)]
  for (const url of urls) expect(url.searchParams.get('nonce')).toBe('the-nonce')
  for (const name of ['state', 'code_challenge']) {
    expect(new Set(urls.map((url) => url.searchParams.get(name))).size).toBe(2)
  }
})

describe('nothing is taken from', () => {
  test.each<[string, Record<string, string | undefined>]>([
    ['another issuer', { iss: 'https://other.example' }],
    ['an answer that does not say its issuer, though the provider says it does', { iss: undefined }],
    ['another state', { state: 'other' }],
  ])('%s', async (_, changes) => {
    const provider = await createProvider()
    expect(await refusal(logIn(provider, changes))).toMatchObject({ code: 'login_failed' })
    expect(provider.form.size).toBe(0)
  })

  test.each<[string, Record<string, unknown>]>([
    ['another nonce', { nonce: 'other' }],
    ['no nonce', { nonce: undefined }],
    ['another issuer', { iss: 'https://other.example' }],
    ['another client', { aud: 'other' }],
    ['a time that is over', { exp: 1 }],
  ])('an ID token with %s', async (_, claims) => {
    const provider = await createProvider()
    provider.claims = claims
    const error = await refusal(logIn(provider))
    expect(error).toMatchObject({ code: 'login_failed', detail: expect.stringContaining(provider.issuer) })
    expect(JSON.stringify(error)).not.toContain('canary')
  })

  test('an answer without an ID token, and one that is an error', async () => {
    const provider = await createProvider()
    provider.answer = { access_token: 'at', token_type: 'bearer' }
    expect(await refusal(logIn(provider))).toMatchObject({ code: 'login_failed' })
    provider.answer = { error: 'invalid_client', error_description: 'client_secret is missing.' }
    expect(await refusal(logIn(provider))).toMatchObject({
      code: 'login_failed',
      detail: `${provider.issuer} says invalid_client: client_secret is missing.`,
      hint: expect.stringContaining('--client-secret-file'),
    })
    expect(await refusal(logIn(provider, { code: undefined, error: 'access_denied' }))).toMatchObject({
      detail: `${provider.issuer} says access_denied.`,
    })
  })

  test.each([
    ['authorization_endpoint', 'file:///usr/bin/xcalc'],
    ['authorization_endpoint', 'ssh://host'],
    ['authorization_endpoint', 'http://login.example/authorize'],
    ['authorization_endpoint', 'javascript:alert(1)'],
    ['authorization_endpoint', '/authorize'],
    ['token_endpoint', 'http://login.example/token'],
    ['token_endpoint', 'ftp://127.0.0.1/token'],
  ])('metadata with the %s %s', async (field, url) => {
    const provider = await createProvider()
    provider.metadata = { [field]: url }
    expect(await refusal(begin(provider))).toMatchObject({
      code: 'login_failed',
      detail: expect.stringContaining('an endpoint that is not https'),
    })
  })

  test('metadata of another issuer, or without what the flow needs', async () => {
    const provider = await createProvider()
    provider.metadata = { issuer: 'https://other.example' }
    expect(await refusal(begin(provider))).toMatchObject({ code: 'login_failed' })
    provider.metadata = { authorization_endpoint: undefined }
    expect(await refusal(begin(provider))).toMatchObject({
      code: 'login_failed',
      detail: expect.stringContaining('no endpoints'),
    })
    // A name that is not this machine's: over plain http nothing is asked.
    const elsewhere = {
      issuer: 'http://192.0.2.1',
      clientId: 'cli',
      scopes: [],
      clientSecret: undefined,
      nonce: 'n',
    }
    expect(await refusal(beginLogin(elsewhere, redirectUri, signal))).toMatchObject({ code: 'login_failed' })
  })
})
