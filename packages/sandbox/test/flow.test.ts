import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browse, endpoints, type Sandbox, startSandbox } from '../src/index.ts'
import { createClient, readError, readTokens } from './support/client.ts'
import { isSignedBy } from './support/is-signed-by.ts'

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox()
})
afterAll(() => sandbox.stop())

describe('the code flow', () => {
  test('gives tokens and an ID token that is signed by the published key when openid is asked', async () => {
    const tokens = await createClient(sandbox).signIn('openid email profile')
    expect(tokens).toMatchObject({ token_type: 'Bearer', expires_in: 3600, scope: 'openid email profile' })
    expect(tokens.refresh_token).toBeTruthy()
    expect(await isSignedBy(sandbox, tokens.id_token)).toBe(true)
    const payload = tokens.id_token?.split('.')[1] ?? ''
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toMatchObject({
      iss: sandbox.issuer,
      aud: sandbox.client.client_id,
      sub: 'alice',
      nonce: 'the-nonce',
      email: 'alice@example.com',
    })
  })

  test.each([
    ['api:read api:write', 'api:read api:write'],
    ['api:read no:such:scope', 'api:read'],
    [undefined, 'api:read'],
  ])('gives tokens that refresh without openid, for scope %s', async (scope, granted) => {
    const client = createClient(sandbox)
    const tokens = await client.signIn(scope)
    expect(tokens).toMatchObject({ token_type: 'Bearer', scope: granted })
    expect(tokens).not.toHaveProperty('id_token')
    expect(await readTokens(await client.refresh(tokens.refresh_token))).toMatchObject({ scope: granted })
  })

  test('puts state and issuer into the authorization response', async () => {
    const callback = await createClient(sandbox).authorize()
    expect(Object.fromEntries(callback)).toEqual({
      code: expect.any(String),
      state: 'the-state',
      iss: sandbox.issuer,
    })
  })

  test('sends access_denied back when consent is refused', async () => {
    const callback = await createClient(sandbox).authorize({}, { consent: 'deny' })
    expect(callback.get('error')).toBe('access_denied')
    expect(callback.get('state')).toBe('the-state')
    expect(callback.get('iss')).toBe(sandbox.issuer)
    expect(callback.has('code')).toBe(false)
  })

  test.each(['http://127.0.0.1:9/callback', 'http://[::1]:65000/callback', 'http://localhost:3000/callback'])(
    'accepts the loopback callback %s on its port',
    async (redirectUri) => {
      const client = createClient(sandbox)
      const callback = await client.authorize({ redirect_uri: redirectUri })
      expect((await client.exchange(callback.get('code') ?? '', redirectUri)).status).toBe(200)
    },
  )

  test.each([
    ['another path', { redirect_uri: 'http://127.0.0.1:8080/other' }],
    ['another host', { redirect_uri: 'http://example.com/callback' }],
    ['an unknown client', { client_id: 'nobody' }],
  ])('shows an error page and does not redirect for %s', async (_case, params) => {
    await expect(browse(createClient(sandbox).authorizationUrl(params))).rejects.toMatchObject({ status: 400 })
  })

  test('requires PKCE with S256', async () => {
    const client = createClient(sandbox)
    const without = await client.authorize({ code_challenge: undefined, code_challenge_method: undefined })
    expect(without.get('error')).toBe('invalid_request')
    const plain = await client.authorize({ code_challenge_method: 'plain' })
    expect(plain.get('error')).toBe('invalid_request')
  })

  test('takes a code once', async () => {
    const client = createClient(sandbox)
    const code = (await client.authorize()).get('code') ?? ''
    expect((await client.exchange(code)).status).toBe(200)
    expect(await readError(await client.exchange(code))).toEqual({ status: 400, error: 'invalid_grant' })
  })

  test('refuses a wrong client secret', async () => {
    const client = createClient(sandbox, { ...sandbox.client, client_secret: 'wrong' })
    expect(await readError(await client.refresh('any'))).toEqual({ status: 401, error: 'invalid_client' })
  })

  test('tells userinfo to a token with openid', async () => {
    const { access_token } = await createClient(sandbox).signIn('openid email')
    const userinfo = await fetch(`${sandbox.issuer}${endpoints.userinfo}`, {
      headers: { authorization: `Bearer ${access_token}` },
    })
    expect(await userinfo.json()).toEqual({ sub: 'alice', email: 'alice@example.com', email_verified: true })
  })

  test('opens the callback page like a browser when asked to', async () => {
    const listener = createServer((request, response) => response.end(`got ${request.url?.split('?')[0]}`))
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
    const address = listener.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const url = createClient(sandbox).authorizationUrl({ redirect_uri: `http://127.0.0.1:${port}/callback` })
    const { page } = await browse(url, { followCallback: true })
    expect(page).toEqual({ status: 200, text: 'got /callback' })
    listener.close()
  })
})

describe('metadata', () => {
  test('publishes public keys only', async () => {
    const jwks = (await (await fetch(`${sandbox.issuer}${endpoints.jwks}`)).json()) as { keys: object[] }
    expect(Object.keys(jwks.keys[0] ?? {}).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use'])
  })

  test.each(['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server'])(
    '%s names the endpoints under the issuer, whatever name the request used',
    async (path) => {
      const url = `${sandbox.issuer.replace('127.0.0.1', 'localhost')}${path}`
      expect(await (await fetch(url)).json()).toMatchObject({
        issuer: sandbox.issuer,
        authorization_endpoint: `${sandbox.issuer}/authorize`,
        token_endpoint: `${sandbox.issuer}/token`,
        revocation_endpoint: `${sandbox.issuer}/revoke`,
        introspection_endpoint: `${sandbox.issuer}/introspect`,
        userinfo_endpoint: `${sandbox.issuer}/userinfo`,
        jwks_uri: `${sandbox.issuer}/jwks`,
        authorization_response_iss_parameter_supported: true,
        code_challenge_methods_supported: ['S256'],
        token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
      })
    },
  )
})
