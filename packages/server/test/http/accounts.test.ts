import { expect, test } from 'vitest'
import { expectProblem, useVault } from '../support/vault.ts'

const v = useVault()

const create = (name: string, given: Record<string, unknown> = {}) =>
  v.call('createConnection', {
    body: {
      name,
      provider_url: v.sandbox.issuer,
      client_id: v.sandbox.client.client_id,
      client_secret: v.sandbox.client.client_secret,
      ...given,
    },
  })
const get = async (name: string) => (await v.call('getConnection', { params: { name } })).body

test('the account is asked for after an authorization, kept, and gone when the grant is revoked', async () => {
  await create('known')
  const { body } = await v.authorize('known')
  const { account } = body.grant
  expect(account).toMatchObject({ id: expect.any(String), email: expect.stringContaining('@') })
  expect((await get('known')).account).toEqual(account)
  expect((await v.call('listGrants', { params: { name: 'known' } })).body.grants[0].account).toEqual(account)

  await v.call('revokeGrant', { params: { name: 'known' }, body: {} })
  expect(await get('known')).toMatchObject({ account: null, metadata: {} })
})

test.each([
  ['is not there', 'http://127.0.0.1:9/userinfo'],
  ['is no place for that', 'SANDBOX/jwks'],
  ['is somewhere that the vault does not call', 'https://10.0.0.1/userinfo'],
])('an authorization does not fail when the place to ask %s', async (why, place) => {
  const name = `unknown-${why.replaceAll(' ', '-')}`
  const userinfo_endpoint = place.replace('SANDBOX', v.sandbox.issuer)
  const created = await create(name, { userinfo_endpoint })
  if (created.status !== 201) return expectProblem(created, 400, 'provider_address_refused')
  const { status, body } = await v.authorize(name)
  expect(status).toBe(200)
  expect(body.grant).toMatchObject({ status: 'active', account: null })
  expect((await v.call('getToken', { params: { name } })).status).toBe(200)
})

test('a known provider is created by its name, with where to register it', async () => {
  const known = { provider_url: undefined, provider: 'microsoft', tenant: 'contoso.onmicrosoft.com' }
  const { status, body } = await create('by-name', known)
  expect(status).toBe(201)
  expect(body).toMatchObject({
    provider: 'microsoft',
    provider_url: 'https://login.microsoftonline.com/contoso.onmicrosoft.com',
    endpoints: { token_endpoint: 'https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token' },
    registration: { redirect_uri: 'http://localhost:8080/callback', note: expect.any(String) },
    account: null,
    metadata: {},
  })
})

test.each([
  ['both', { provider: 'google' }, 'either a provider or a provider_url'],
  ['neither', { provider_url: undefined }, 'either a provider or a provider_url'],
  ['one that nobody knows', { provider_url: undefined, provider: 'gogle' }, 'no provider "gogle"'],
  ['a variable it has not', { provider_url: undefined, provider: 'google', region: 'eu' }, 'Google has no region'],
])('a provider and a provider URL: %s is refused', async (_, given, words) => {
  const answer = await create('refused', given)
  expectProblem(answer, 400, 'invalid_request')
  expect(answer.body.detail).toContain(words)
})

test('without scopes, an authorization asks for the usual ones of the provider', async () => {
  const scopeFor = async (name: string, scopes?: string[]) => {
    const body = { redirect_uri: 'http://127.0.0.1:8080/callback', ...(scopes && { scopes }) }
    const started = await v.call('startAuthorization', { params: { name }, body })
    return { asked: new URL(started.body.authorization_url).searchParams, kept: started.body.scopes }
  }
  await create('usual-slack', { provider_url: undefined, provider: 'slack' })
  await create('usual-google', { provider_url: undefined, provider: 'google' })
  await create('usual-other')
  expect((await scopeFor('usual-slack')).asked.get('scope')).toBe('users:read')
  expect((await scopeFor('usual-google')).asked.get('scope')).toBe('openid profile email')
  expect((await scopeFor('usual-google')).asked.get('nonce')).not.toBeNull()
  expect((await scopeFor('usual-other')).kept).toEqual(['openid', 'profile', 'email'])
  // None is not the same as nothing said.
  expect((await scopeFor('usual-google', [])).asked.get('scope')).toBeNull()
})
