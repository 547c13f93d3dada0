import { describe, expect, test } from 'vitest'
import { expectProblem, useVault } from '../support/vault.ts'

const v = useVault()
const body = (given: Record<string, unknown> = {}) => ({
  name: 'example',
  provider_url: v.sandbox.issuer,
  client_id: 'client',
  client_secret: 'a client secret',
  ...given,
})
const create = (given: Record<string, unknown> = {}) => v.call('createConnection', { body: body(given) })

describe('201', () => {
  test('for a discovered provider, with what its metadata says', async () => {
    const { body: created } = await create({ name: 'discovered' })
    expect(created).toMatchObject({
      provider: null,
      provider_url: v.sandbox.issuer,
      token_endpoint_auth_method: 'client_secret_basic',
      endpoints: {
        authorization_endpoint: `${v.sandbox.issuer}/authorize`,
        revocation_endpoint: `${v.sandbox.issuer}/revoke`,
        jwks_uri: `${v.sandbox.issuer}/jwks`,
      },
    })
  })

  test('for explicit endpoints, without asking anybody', async () => {
    const { status, body: created } = await create({
      name: 'explicit',
      provider_url: 'https://provider.example',
      authorization_endpoint: 'https://provider.example/authorize',
      token_endpoint: 'https://provider.example/token',
      token_endpoint_auth_method: 'client_secret_post',
    })
    expect(status).toBe(201)
    expect(created).toMatchObject({
      endpoints: { token_endpoint: 'https://provider.example/token' },
      token_endpoint_auth_method: 'client_secret_post',
    })
  })

  test('for a client secret with any visible characters', async () => {
    const client_secret = 'zażółć 🔑 "\\ \u2028'
    const { status } = await create({
      name: 'unicode',
      provider_url: 'https://accounts.google.com',
      client_secret,
    })
    expect(status).toBe(201)
  })

  test.each([
    ['https://accounts.google.com', 'google'],
    ['https://appcenter.intuit.com/connect/oauth2', 'quickbooks'],
    ['https://login.microsoftonline.com/common', 'microsoft'],
  ])('for %s from the catalog', async (provider_url, provider) => {
    const { status, body: created } = await create({ name: `catalog-${provider}`, provider_url })
    expect(status).toBe(201)
    expect(created.provider).toBe(provider)
  })
})

describe('400', () => {
  test.each([
    ['no name', { name: undefined }],
    ['an empty name', { name: '' }],
    ['capitals in the name', { name: 'Google' }],
    ['an underscore in the name', { name: 'google_oauth' }],
    ['a hyphen at the end of the name', { name: 'google-' }],
    ['a name of 64 characters', { name: 'a'.repeat(64) }],
    ['a name that is a number', { name: 5 }],
    ['another type', { type: 'TYPE_SAML' }],
    ['no client id', { client_id: undefined }],
    ['an empty client secret', { client_secret: '' }],
    ['an unknown field', { clientSecret: 'x' }],
    ['an unknown authentication method', { token_endpoint_auth_method: 'none' }],
    ['an endpoint that is no URL', { token_endpoint: 'token' }],
    ['NUL after the provider URL', { provider_url: 'https://accounts.google.com\u0000' }],
    ['white space around the provider URL', { provider_url: ' https://accounts.google.com\n' }],
    ['NUL after the issuer URL', { issuer_url: 'https://accounts.google.com\u0000' }],
    ['NUL in an endpoint', { token_endpoint: 'https://provider.example/token\u0000' }],
    ['NUL in the client id', { client_id: 'a\u0000b' }],
    ['a line break in the client secret', { client_secret: 'a client secret\n' }],
    ['half a character in the client secret', { client_secret: 'a client secret\ud800' }],
  ])('invalid_request for %s', async (_what, given) => {
    const answer = await create(given)
    expectProblem(answer, 400, 'invalid_request')
    expect(answer.body.errors).not.toEqual([])
    expect(JSON.stringify(answer.body)).not.toContain('a client secret')
  })

  test('invalid_request that says in words what a client secret is, and does not repeat it', async () => {
    const { body: problem } = await create({ client_secret: 'a client secret\n' })
    expect(problem.detail).toBe('/body/client_secret must be: Without line breaks or other control characters')
  })

  test('invalid_request that says in words what a name is', async () => {
    expect((await create({ name: 'Google' })).body.detail).toContain(
      '/body/name must be: Lowercase letters, digits',
    )
  })

  test('invalid_request that names the unknown field', async () => {
    const answer = await create({ client_secrett: 'oops' })
    expect(answer.body.detail).toContain('client_secrett')
    expect(answer.body.detail).not.toContain('oops')
  })

  test.each([
    ['no URL', 'google'],
    ['plain http', 'http://provider.example'],
    ['another scheme', 'ftp://provider.example'],
    ['a user name and password', 'https://user:password@provider.example'],
  ])('provider_url_invalid for %s', async (_what, provider_url) => {
    expectProblem(await create({ provider_url }), 400, 'provider_url_invalid')
  })

  test.each(['https://169.254.169.254', 'https://10.0.0.1', 'https://[::ffff:10.0.0.1]', 'https://192.168.1.1'])(
    'provider_address_refused for %s',
    async (provider_url) => {
      expectProblem(await create({ provider_url }), 400, 'provider_address_refused')
    },
  )

  test.each([
    ['a body that is no JSON', '{"name":', 'invalid_json'],
    ['an empty body', '', 'invalid_json'],
    ['a list', '[]', 'invalid_request'],
    ['a string', '"x"', 'invalid_request'],
    ['null', 'null', 'invalid_request'],
  ])('for %s', async (_what, text, code) => {
    const answer = await v.send('POST', '/v1/connections', {
      body: text,
      headers: { 'content-type': 'application/json' },
    })
    expectProblem(answer, 400, code)
  })

  test.each([
    'limit=0',
    'limit=1001',
    'limit=ten',
    'limit=1&limit=2',
    'unknown=1',
    'after=',
    'after=%00',
    'limit=1e999',
    'limit=-Infinity',
  ])('invalid_request for a list with ?%s', async (query) => {
    expectProblem(await v.send('GET', `/v1/connections?${query}`), 400, 'invalid_request')
  })

  test('invalid_request for a list of grants or callers after NUL', async () => {
    const name = await v.createConnection()
    expectProblem(await v.send('GET', `/v1/connections/${name}/grants?after=%00`), 400, 'invalid_request')
    expectProblem(await v.send('GET', '/v1/callers?after=%00'), 400, 'invalid_request')
  })

  test('invalid_request for a name in the path that can be none', async () => {
    expectProblem(await v.send('GET', '/v1/connections/Bad%20Name'), 400, 'invalid_request')
    expectProblem(await v.send('GET', '/v1/connections/%zz'), 400, 'invalid_request')
    expectProblem(await v.send('GET', `/v1/connections/${'a'.repeat(300)}`), 400, 'invalid_request')
  })
})

describe('404', () => {
  test('connection_not_found for every operation on a connection that is not there', async () => {
    const params = { name: 'missing' }
    expectProblem(await v.call('getConnection', { params }), 404, 'connection_not_found')
    expectProblem(await v.call('deleteConnection', { params }), 404, 'connection_not_found')
    expectProblem(await v.call('listGrants', { params }), 404, 'connection_not_found')
    expectProblem(await v.call('revokeGrant', { params, body: {} }), 404, 'connection_not_found')
    expectProblem(await v.call('getToken', { params }), 404, 'connection_not_found')
    const wanted = { scopes: ['a'], redirect_uri: 'http://127.0.0.1:1/callback' }
    expectProblem(await v.call('startAuthorization', { params, body: wanted }), 404, 'connection_not_found')
  })

  test('grant_not_found when there is nothing to revoke for a subject', async () => {
    const name = await v.createConnection()
    expectProblem(
      await v.call('revokeGrant', { params: { name }, body: { subject: 'nobody' } }),
      404,
      'grant_not_found',
    )
  })

  test('not_found for other paths and methods', async () => {
    expectProblem(await v.send('GET', '/v1/nothing?secret=1'), 404, 'not_found')
    expectProblem(await v.send('PATCH', '/v1/connections'), 404, 'not_found')
    expect((await v.send('GET', '/v1/nothing?secret=1')).body.detail).not.toContain('secret')
  })
})

describe('409', () => {
  test('connection_exists for a name that is taken', async () => {
    const name = await v.createConnection()
    expectProblem(await create({ name }), 409, 'connection_exists')
  })

  test('connection_exists for all but one of those who want a name at once', async () => {
    const answers = await Promise.all([1, 2, 3, 4].map(() => create({ name: 'race' })))
    expect(answers.map((answer) => answer.status).sort()).toEqual([201, 409, 409, 409])
  })
})

describe('413 and 415', () => {
  test('body_too_large for a body over 64 KiB', async () => {
    expectProblem(await create({ client_secret: 'x'.repeat(70_000) }), 413, 'body_too_large')
  })

  test('unsupported_media_type for a form', async () => {
    const answer = await v.send('POST', '/v1/connections', {
      body: 'name=x',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    expectProblem(answer, 415, 'unsupported_media_type')
  })
})

describe('422', () => {
  test('discovery_failed for a server that is no provider', async () => {
    const answer = await create({ provider_url: `${v.sandbox.issuer}/nothing-here` })
    expectProblem(answer, 422, 'discovery_failed')
    expect(answer.body.hint).toContain('--token-endpoint')
  })

  test('issuer_mismatch when the metadata names another issuer', async () => {
    const other = v.sandbox.issuer.replace('127.0.0.1', 'localhost')
    expectProblem(await create({ provider_url: other }), 422, 'issuer_mismatch')
  })
})

describe('deleting', () => {
  test('goes through when the provider is down, and says that the revocation is retried', async () => {
    const name = await v.createAuthorizedConnection()
    v.sandbox.faults.set('revocation', { kind: 'status', status: 500 })
    const { status, body: deleted } = await v.call('deleteConnection', { params: { name } })
    v.sandbox.faults.clear()
    expect(status).toBe(200)
    expect(deleted.revocations).toMatchObject([{ upstream: 'retrying', detail: expect.stringContaining('500') }])
    expectProblem(await v.call('getToken', { params: { name } }), 404, 'connection_not_found')
    expect((await create({ name })).status).toBe(201)
  })
})
