import nock from 'nock'
import { describe, expect, test } from 'vitest'
import { createOAuth } from '../../src/adapters/oauth/create-oauth.ts'
import { requestOf, secretMethods } from './support/clients.ts'
import { openLockedDoor } from './support/doors.ts'
import { failureOf } from './support/failures.ts'
import { basic, connect, useKnownProviders } from './support/known-provider.ts'

// The answers are those that the providers' documentation shows. Google, Microsoft and the code flow of QuickBooks and
// GitHub are in known-providers.test.ts.

const { exchange, refresh, revoke, account, urlOf } = useKnownProviders()
const bearer = { authorization: 'Bearer token-1' }
const nobody = { id: null, email: null, login: null, name: null, company: null }

describe('Slack', () => {
  const answer = {
    ok: true,
    access_token: 'xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcBrzbqgy',
    token_type: 'bot',
    scope: 'commands,incoming-webhook',
    bot_user_id: 'U0KRQLJ9H',
    app_id: 'A0KRD7HC3',
    team: { name: 'Slack Pickleball Team', id: 'T9TK3CUKW' },
    enterprise: null,
    authed_user: {
      id: 'U1234',
      scope: 'chat:write',
      access_token: 'xoxp-1234',
      token_type: 'user',
    },
  }
  const rotating = { expires_in: 43_200, refresh_token: 'xoxe-1-bot' }

  test('gives the token of the bot, whose type is its own word for Bearer', async () => {
    nock('https://slack.com', { reqheaders: basic })
      .post('/api/oauth.v2.access', (body) => body.client_secret === undefined && body.code === 'code-1')
      .reply(200, { ...answer, ...rotating })
    expect(await exchange('slack')).toMatchObject({
      accessToken: answer.access_token,
      refreshToken: 'xoxe-1-bot',
      tokenType: 'Bearer',
      expiresIn: 43_200,
      scope: 'commands incoming-webhook',
      metadata: { team_id: 'T9TK3CUKW', team_name: 'Slack Pickleball Team', bot_user_id: 'U0KRQLJ9H' },
    })
  })

  test('gives the token of the user from where it keeps those', async () => {
    nock('https://slack.com')
      .post('/api/oauth.v2.access')
      .reply(200, { ...answer, ...rotating })
    expect(await exchange('slack-user')).toMatchObject({
      accessToken: 'xoxp-1234',
      // Those of the bot are not of the user.
      refreshToken: null,
      expiresIn: null,
      scope: 'chat:write',
    })
  })

  test('gives a refreshed token of a user at the top', async () => {
    nock('https://slack.com')
      .post('/api/oauth.v2.access', /grant_type=refresh_token/)
      .reply(200, { ok: true, access_token: 'xoxe.xoxp-2', token_type: 'user', ...rotating })
    const tokens = await refresh('slack-user')
    expect(tokens).toMatchObject({ accessToken: 'xoxe.xoxp-2', refreshToken: 'xoxe-1-bot' })
  })

  test('is asked for scopes with commas, and for those of users by another parameter', async () => {
    expect((await urlOf('slack', ['chat:write', 'users:read'])).get('scope')).toBe('chat:write,users:read')
    const user = await urlOf('slack-user', ['chat:write', 'users:read'])
    expect([user.get('user_scope'), user.get('scope')]).toEqual(['chat:write,users:read', null])
  })

  test.each([
    ['invalid_code', 'invalid_grant'],
    ['invalid_refresh_token', 'invalid_grant'],
    ['bad_client_secret', 'client'],
    ['ratelimited', 'passing'],
    ['something_new', 'unintelligible'],
  ])('says %s with status 200', async (error, kind) => {
    nock('https://slack.com').post('/api/oauth.v2.access').twice().reply(200, { ok: false, error })
    expect((await failureOf(exchange('slack'))).kind).toBe(kind)
    expect((await failureOf(refresh('slack'))).kind).toBe(kind)
  })

  test('revokes by the access token itself, also what is revoked already', async () => {
    nock('https://slack.com', { reqheaders: bearer })
      .post('/api/auth.revoke')
      .reply(200, { ok: true, revoked: true })
      .post('/api/auth.revoke')
      .reply(200, { ok: false, error: 'token_revoked' })
    expect(await revoke('slack')).toBe('revoked')
    expect(await revoke('slack')).toBe('gone')
    expect((await failureOf(revoke('slack', 'refresh_token'))).kind).toBe('unsupported')
  })

  test('does not revoke when it says so with status 200', async () => {
    nock('https://slack.com').post('/api/auth.revoke').reply(200, { ok: false, error: 'ratelimited' })
    expect((await failureOf(revoke('slack'))).kind).toBe('passing')
  })

  test('tells whose token it is', async () => {
    const about = { ok: true, url: 'https://a.slack.com/', team: 'A', user: 'ann', team_id: 'T1', user_id: 'U1' }
    nock('https://slack.com', { reqheaders: bearer }).post('/api/auth.test').reply(200, about)
    expect(await account('slack')).toEqual({ ...nobody, id: 'U1', login: 'ann', company: 'A' })
  })

  test('tells nobody when it says no with status 200', async () => {
    nock('https://slack.com').post('/api/auth.test').reply(200, { ok: false, error: 'invalid_auth' })
    expect(await account('slack')).toBeNull()
  })
})

describe('Notion', () => {
  const answer = {
    access_token: 'ntn_1',
    token_type: 'bearer',
    refresh_token: 'nrt_1',
    bot_id: 'b3414d65',
    workspace_id: 'w1',
    workspace_name: 'Acme',
    workspace_icon: null,
    owner: {
      type: 'user',
      user: { object: 'user', id: 'u1', name: 'Ann', person: { email: 'ann@acme.example' } },
    },
    duplicated_template_id: null,
  }

  test('takes JSON with Basic authentication, and tells whose tokens they are with them', async () => {
    nock('https://api.notion.com', { reqheaders: { ...basic, 'content-type': 'application/json' } })
      .post('/v1/oauth/token', {
        grant_type: 'authorization_code',
        code: 'code-1',
        redirect_uri: 'http://127.0.0.1:8080/callback',
        code_verifier: requestOf().codeVerifier.reveal(),
      })
      .reply(200, answer)
    expect(await exchange('notion')).toMatchObject({
      accessToken: 'ntn_1',
      refreshToken: 'nrt_1',
      // It documents no end of its access tokens.
      expiresIn: null,
      account: { id: 'u1', email: 'ann@acme.example', login: null, name: 'Ann', company: 'Acme' },
      metadata: { workspace_id: 'w1', workspace_name: 'Acme', bot_id: 'b3414d65' },
    })
  })

  test('names the company of a token that belongs to a workspace', async () => {
    nock('https://api.notion.com')
      .post('/v1/oauth/token')
      .reply(200, { ...answer, owner: { type: 'workspace', workspace: true } })
    expect((await exchange('notion')).account).toEqual({ ...nobody, company: 'Acme' })
  })

  test('rotates the refresh token', async () => {
    nock('https://api.notion.com')
      .post('/v1/oauth/token', { grant_type: 'refresh_token', refresh_token: 'refresh-1' })
      .reply(200, { ...answer, refresh_token: 'nrt_2' })
    expect((await refresh('notion')).refreshToken).toBe('nrt_2')
  })

  test.each([
    [400, 'invalid_grant', 'invalid_grant'],
    [401, 'invalid_client', 'client'],
    [429, 'rate_limited', 'passing'],
  ])('%i %s is what it is', async (status, error, kind) => {
    nock('https://api.notion.com').post('/v1/oauth/token').reply(status, { error })
    expect((await failureOf(refresh('notion'))).kind).toBe(kind)
  })

  test('revokes by the access token, in JSON and with nothing besides it', async () => {
    nock('https://api.notion.com', { reqheaders: { ...basic, 'content-type': 'application/json' } })
      .post('/v1/oauth/revoke', { token: 'token-1' })
      .reply(200, { request_id: 'r1' })
    expect(await revoke('notion')).toBe('revoked')
    expect((await failureOf(revoke('notion', 'refresh_token'))).kind).toBe('unsupported')
  })

  test('is asked for the consent of a user, and for no scopes', async () => {
    const parameters = await urlOf('notion', [])
    expect([parameters.get('owner'), parameters.get('scope')]).toEqual(['user', null])
  })
})

describe('Linear', () => {
  test('is asked for scopes with commas, and answers with spaces', async () => {
    expect((await urlOf('linear', ['read', 'write'])).get('scope')).toBe('read,write')
    nock('https://api.linear.app')
      .post('/oauth/token', (body) => body.client_secret === 'client-secret')
      .reply(200, {
        access_token: '00a21d8b0c4e2375114e49c067dfb81eb0d2076f48354714cd5df984d87b67cc',
        token_type: 'Bearer',
        expires_in: 86_399,
        scope: 'read write',
        refresh_token: 'sbbrfbkfnrtnbo',
      })
    expect(await exchange('linear')).toMatchObject({ scope: 'read write', expiresIn: 86_399, tokenType: 'Bearer' })
  })

  test('gives another refresh token with a refresh', async () => {
    nock('https://api.linear.app')
      .post('/oauth/token', (body) => body.refresh_token === 'refresh-1' && body.client_id === 'client-id')
      .reply(200, {
        access_token: 'lin_2',
        token_type: 'Bearer',
        expires_in: 86_399,
        refresh_token: 'r2',
        scope: 'read',
      })
    expect(await refresh('linear')).toMatchObject({ accessToken: 'lin_2', refreshToken: 'r2' })
  })

  test.each([
    [400, 'invalid_grant', 'The refresh token is not valid.', 'invalid_grant'],
    [401, 'invalid_client', 'Invalid client credentials', 'client'],
  ])('%i %s is what it is', async (status, error, error_description, kind) => {
    nock('https://api.linear.app').post('/oauth/token').reply(status, { error, error_description })
    expect((await failureOf(refresh('linear'))).kind).toBe(kind)
  })

  test('tells whose token it is by GraphQL', async () => {
    nock('https://api.linear.app', { reqheaders: { ...bearer, 'content-type': 'application/json' } })
      .post('/graphql', (body) => /viewer \{ id name email \}/.test(body.query))
      .reply(200, {
        data: { viewer: { id: 'u1', name: 'Ann', email: 'ann@acme.example' }, organization: { name: 'Acme' } },
      })
    expect(await account('linear')).toMatchObject({ email: 'ann@acme.example', company: 'Acme' })
  })

  test('gives scopes in an array to older applications', async () => {
    nock('https://api.linear.app')
      .post('/oauth/token')
      .reply(200, { access_token: 'a', token_type: 'Bearer', expires_in: 315_705_599, scope: ['read', 'write'] })
    expect(await exchange('linear')).toMatchObject({ scope: 'read write', refreshToken: null })
  })

  test('is given back tokens that are not kept, by the access token as it takes no other', async () => {
    nock('https://api.linear.app')
      .post('/oauth/token')
      .reply(200, { token_type: 'Bearer', access_token: 'token-1', refresh_token: 'rt', id_token: 'none' })
    const revocation = nock('https://api.linear.app', { reqheaders: bearer }).post('/oauth/revoke').reply(200)
    const failure = await failureOf(exchange('linear'))
    expect(failure.kind).toBe('id_token')
    expect(failure.message).not.toContain('could not be revoked')
    expect(revocation.isDone()).toBe(true)
  })

  test('revokes by the access token itself, also one that it does not know any more', async () => {
    nock('https://api.linear.app', { reqheaders: bearer })
      .post('/oauth/revoke')
      .reply(200)
      .post('/oauth/revoke')
      .reply(401)
      .post('/oauth/revoke')
      .reply(400)
    expect(await revoke('linear')).toBe('revoked')
    expect(await revoke('linear')).toBe('gone')
    expect((await failureOf(revoke('linear'))).kind).toBe('unrecognized')
  })
})

describe('Stripe', () => {
  test('gives tokens without end, and the id of the account', async () => {
    nock('https://connect.stripe.com')
      .post('/oauth/token', (body) => body.client_secret === 'client-secret')
      .reply(200, {
        token_type: 'bearer',
        stripe_publishable_key: 'pk_test_1',
        scope: 'read_write',
        livemode: false,
        stripe_user_id: 'acct_1',
        refresh_token: 'rt_1',
        access_token: 'sk_test_1',
      })
    expect(await exchange('stripe')).toMatchObject({
      expiresIn: null,
      metadata: { stripe_user_id: 'acct_1', stripe_publishable_key: 'pk_test_1' },
    })
  })

  test.each([
    ['invalid_grant', 'Authorization code does not exist: ac_1', 400, 'invalid_grant'],
    ['invalid_client', 'No such application: ca_1', 401, 'client'],
    ['unsupported_grant_type', 'Unsupported grant type', 400, 'client'],
  ])('%s is what it is', async (error, error_description, status, kind) => {
    nock('https://connect.stripe.com').post('/oauth/token').reply(status, { error, error_description })
    expect((await failureOf(exchange('stripe'))).kind).toBe(kind)
  })

  test('gives the same rights again with a refresh', async () => {
    nock('https://connect.stripe.com')
      .post('/oauth/token', (body) => body.refresh_token === 'refresh-1' && body.client_secret === 'client-secret')
      .reply(200, {
        token_type: 'bearer',
        stripe_publishable_key: 'pk_test_1',
        scope: 'read_write',
        livemode: false,
        stripe_user_id: 'acct_1',
        refresh_token: 'refresh-1',
        access_token: 'sk_test_2',
      })
    expect(await refresh('stripe')).toMatchObject({ accessToken: 'sk_test_2', expiresIn: null })
  })

  test('tells whose token it is', async () => {
    nock('https://api.stripe.com', { reqheaders: bearer })
      .get('/v1/account')
      .reply(200, {
        id: 'acct_1',
        object: 'account',
        email: 'ann@acme.example',
        settings: { dashboard: { display_name: 'Acme Shop' } },
        business_profile: { name: 'Acme' },
      })
    expect(await account('stripe')).toEqual({
      ...nobody,
      id: 'acct_1',
      email: 'ann@acme.example',
      name: 'Acme Shop',
      company: 'Acme',
    })
  })

  test('revokes by the account, which it is asked for first', async () => {
    nock('https://api.stripe.com', { reqheaders: bearer })
      .get('/v1/account')
      .reply(200, { id: 'acct_1', object: 'account', email: 'a@b.example', business_profile: { name: 'Acme' } })
    nock('https://connect.stripe.com', { reqheaders: { authorization: 'Bearer client-secret' } })
      .post('/oauth/deauthorize', { stripe_user_id: 'acct_1', client_id: 'client-id' })
      .reply(200, { stripe_user_id: 'acct_1' })
    await revoke('stripe')
  })
})

describe('Square', () => {
  test('says by a date when a token ends, and takes JSON', async () => {
    const expires_at = new Date(Date.now() + 30 * 86_400_000).toISOString()
    nock('https://connect.squareup.com', { reqheaders: { 'content-type': 'application/json' } })
      .post('/oauth2/token', (body) => body.client_secret === 'client-secret' && body.code === 'code-1')
      .reply(200, { access_token: 'a', token_type: 'bearer', expires_at, merchant_id: 'M1', refresh_token: 'r' })
    const tokens = await exchange('square')
    expect(tokens.metadata).toEqual({ merchant_id: 'M1' })
    expect(tokens.expiresIn).toBeGreaterThan(30 * 86_400 - 60)
    expect(tokens.expiresIn).toBeLessThanOrEqual(30 * 86_400)
  })

  test.each([undefined, null, 'soon', 12])(
    'falls back to what it documents when the date is %j',
    async (expires_at) => {
      nock('https://connect.squareup.com')
        .post('/oauth2/token')
        .reply(200, { access_token: 'a', token_type: 'bearer', expires_at, refresh_token: 'r' })
      expect(await exchange('square')).toMatchObject({ expiresIn: 30 * 86_400, expiryAssumed: true })
    },
  )

  test('revokes with the secret under its own scheme', async () => {
    nock('https://connect.squareup.com', { reqheaders: { authorization: 'Client client-secret' } })
      .post('/oauth2/revoke', { access_token: 'token-1', client_id: 'client-id' })
      .reply(200, { success: true })
    await revoke('square')
  })
})

test('Basecamp is told which kind of request it is, in words of its own', async () => {
  nock('https://launchpad.37signals.com')
    .post('/authorization/token', /type=web_server/)
    .reply(200, { access_token: 'a', refresh_token: 'r', expires_in: 1_209_600 })
    .post('/authorization/token', (body) => body.type === 'refresh' && body.refresh_token === 'refresh-1')
    .reply(200, { access_token: 'b', expires_in: 1_209_600 })
  expect((await urlOf('basecamp', [])).get('type')).toBe('web_server')
  expect(await exchange('basecamp')).toMatchObject({ accessToken: 'a', tokenType: 'Bearer' })
  expect((await refresh('basecamp')).accessToken).toBe('b')
})

test('Zoho is another host in each region', async () => {
  expect((await connect('zoho', { region: 'com.au' })).endpoints.token_endpoint).toBe(
    'https://accounts.zoho.com.au/oauth/v2/token',
  )
})

describe('Intercom', () => {
  test('gives a token without end or refresh', async () => {
    nock('https://api.intercom.io')
      .post('/auth/eagle/token', (body) => body.client_id === 'client-id' && body.code === 'code-1')
      .reply(200, { token_type: 'Bearer', token: 'dG9rOjE', access_token: 'dG9rOjE' })
    expect(await exchange('intercom')).toMatchObject({
      expiresIn: null,
      refreshToken: null,
      accessToken: 'dG9rOjE',
    })
  })

  test.each([
    [401, 'unauthorized', 'client'],
    [404, 'token_not_found', 'invalid_grant'],
    [429, 'rate_limit_exceeded', 'passing'],
  ])('%i %s, in a list of errors, is what it is', async (status, code, kind) => {
    nock('https://api.intercom.io')
      .post('/auth/eagle/token')
      .reply(status, { type: 'error.list', request_id: 'r1', errors: [{ code, message: 'In words' }] })
    const failure = await failureOf(exchange('intercom'))
    expect(failure.kind).toBe(kind)
    expect(failure.message).toContain(`${code}: In words`)
  })

  test('tells whose token it is, and ends it', async () => {
    nock('https://api.intercom.io', { reqheaders: bearer })
      .get('/me')
      .reply(200, { type: 'admin', id: '1', email: 'ann@acme.example', name: 'Ann', app: { name: 'Acme' } })
      .post('/auth/uninstall')
      .reply(200)
    expect(await account('intercom')).toMatchObject({ email: 'ann@acme.example', company: 'Acme' })
    await revoke('intercom')
  })
})

describe('Salesforce', () => {
  const host = 'https://login.salesforce.com'

  test('says by introspection when a token ends, and in the answer where to call', async () => {
    nock(host)
      .post('/services/oauth2/token', (body) => body.client_secret === 'client-secret')
      .reply(200, {
        access_token: '00Dx0000000BV7z!AR8AQP0jITN80ESEsj5EbaZTFG0R',
        refresh_token: '5Aep8614iLM.Dq661ePDmPEgaAW9',
        signature: 'd/SxeYBxH0GSVko0HMgcUxuZy0PA2cDDz1u7g7JtDHw=',
        scope: 'api refresh_token',
        instance_url: 'https://acme.my.salesforce.com',
        id: 'https://login.salesforce.com/id/00Dx0000000BV7z/005x00000012Q9P',
        token_type: 'Bearer',
        issued_at: '1278448384422',
      })
      .post('/services/oauth2/introspect')
      .reply(200, { active: true, iat: 1_000, exp: 8_200 })
    expect(await exchange('salesforce', { scopes: ['api'] })).toMatchObject({
      expiresIn: 7_200,
      expiryAssumed: false,
      metadata: { instance_url: 'https://acme.my.salesforce.com' },
    })
  })

  test.each([
    ['keeps the refresh token with a refresh', {}, null],
    ['gives another one where the application rotates them', { refresh_token: '5Aep-2' }, '5Aep-2'],
  ])('%s', async (_, rotated, refreshToken) => {
    nock(host)
      .post('/services/oauth2/token', (body) => body.refresh_token === 'refresh-1')
      .reply(200, {
        access_token: '00Dx-2',
        signature: 'd/SxeYBxH0GSVko0HMgcUxuZy0PA2cDDz1u7g7JtDHw=',
        scope: 'api refresh_token',
        instance_url: 'https://acme.my.salesforce.com',
        id: 'https://login.salesforce.com/id/00Dx0000000BV7z/005x00000012Q9P',
        token_type: 'Bearer',
        issued_at: '1278448384422',
        ...rotated,
      })
      .post('/services/oauth2/introspect')
      .reply(200, { active: true, iat: 1_000, exp: 8_200 })
    expect(await refresh('salesforce')).toMatchObject({ accessToken: '00Dx-2', refreshToken, expiresIn: 7_200 })
  })

  test('asks for what it takes to refresh', async () => {
    expect((await urlOf('salesforce', ['api'])).get('scope')).toBe('api refresh_token')
  })

  test.each([
    ['invalid_grant', 'expired access/refresh token', 'invalid_grant'],
    ['inactive_user', 'user is inactive', 'invalid_grant'],
    ['invalid_client_id', 'client identifier invalid', 'client'],
    ['rate_limit_exceeded', 'login rate exceeded', 'passing'],
  ])('%s is what it is', async (error, error_description, kind) => {
    nock(host).post('/services/oauth2/token').reply(400, { error, error_description })
    expect((await failureOf(refresh('salesforce'))).kind).toBe(kind)
  })

  test('is asked at the domain of the customer', async () => {
    nock('https://acme.my.salesforce.com', { reqheaders: bearer })
      .get('/services/oauth2/userinfo')
      .reply(200, { user_id: '005', organization_id: '00D', preferred_username: 'ann@acme.example', name: 'Ann' })
    expect(await account('salesforce', { subdomain: 'acme.my' })).toMatchObject({ login: 'ann@acme.example' })
  })

  test('revokes, also what is revoked already', async () => {
    nock(host)
      .post('/services/oauth2/revoke', /token=token-1/)
      .reply(200)
      .post('/services/oauth2/revoke')
      .reply(400, { error: 'invalid_token' })
    await revoke('salesforce')
    await revoke('salesforce')
  })
})

describe('GitHub', () => {
  test('deletes the grant by the access token, with the client proven by Basic', async () => {
    nock('https://api.github.com', { reqheaders: basic })
      .delete('/applications/client-id/grant', { access_token: 'token-1' })
      .reply(204)
      .delete('/applications/client-id/grant')
      .reply(404, { message: 'Not Found' })
    expect(await revoke('github')).toBe('revoked')
    expect(await revoke('github')).toBe('gone')
    expect((await failureOf(revoke('github', 'refresh_token'))).kind).toBe('unsupported')
  })

  test('tells whose token it is, with a number for an id', async () => {
    nock('https://api.github.com', { reqheaders: bearer })
      .get('/user')
      .reply(200, { login: 'octocat', id: 583_231, name: 'The Octocat', company: '@github', email: null })
    expect(await account('github')).toEqual({
      id: '583231',
      login: 'octocat',
      name: 'The Octocat',
      company: '@github',
      email: null,
    })
  })
})

describe('Shopify', () => {
  test('is not believed in the callback which shop it is: the connection says it', async () => {
    nock('https://acme.myshopify.com')
      .post('/admin/oauth/access_token')
      .reply(200, { access_token: 'at', refresh_token: 'rt', expires_in: 3600 })
    const tokens = await exchange('shopify', {}, { shop: 'other.myshopify.com' }, { subdomain: 'acme' })
    expect(tokens.metadata).toEqual({})
  })
})

describe('QuickBooks', () => {
  test('names the company in the callback', async () => {
    nock('https://oauth.platform.intuit.com')
      .post('/oauth2/v1/tokens/bearer')
      .reply(200, { token_type: 'bearer', access_token: 'at', refresh_token: 'rt', expires_in: 3600 })
    expect((await exchange('quickbooks', {}, { realmId: '9341' })).metadata).toEqual({ realm_id: '9341' })
  })

  test('tells whose token it is', async () => {
    nock('https://accounts.platform.intuit.com', { reqheaders: bearer })
      .get('/v1/openid_connect/userinfo')
      .reply(200, { sub: 's1', email: 'ann@acme.example', givenName: 'Ann' })
    expect(await account('quickbooks')).toMatchObject({ email: 'ann@acme.example' })
  })
})

test.each([
  ['google', 'https://www.googleapis.com', '/oauth2/v2/userinfo', { id: '1', email: 'a@b.example', name: 'A' }],
  ['microsoft', 'https://graph.microsoft.com', '/v1.0/me', { id: '1', mail: 'a@b.example', displayName: 'A' }],
] as const)('%s tells whose token it is', async (provider, host, path, answer) => {
  nock(host, { reqheaders: bearer }).get(path).reply(200, answer)
  expect(await account(provider)).toMatchObject({ id: '1', email: 'a@b.example', name: 'A' })
})

test.each([
  [
    ['https://accounts.google.com', 'https://accounts.google.com'],
    'https://accounts.google.com/o/oauth2/v2/auth',
    { scope: 'openid email', access_type: 'offline', prompt: 'consent' },
  ],
  [
    ['https://login.microsoftonline.com/common', 'https://login.microsoftonline.com/common/v2.0'],
    'https://login.microsoftonline.com/common/oauth2/v2.0/authorize',
    { scope: 'openid email offline_access' },
  ],
  [
    ['https://appcenter.intuit.com/connect/oauth2', 'https://oauth.platform.intuit.com/op/v1'],
    'https://appcenter.intuit.com/connect/oauth2',
    { scope: 'openid email' },
  ],
] as const)('%j sends people to %s', async ([providerUrl, issuerUrl], address, expected) => {
  const { resolveProvider, authorizationUrl } = createOAuth({
    safeFetch: openLockedDoor(),
    refreshTimeoutMs: 2_000,
  })
  const input = { providerUrl, issuerUrl, clientId: 'client-id', endpoints: {}, authMethods: secretMethods }
  const client = { ...(await resolveProvider(input)), clientId: 'client-id' }
  const url = new URL(await authorizationUrl(client, requestOf({ scopes: ['openid', 'email'], nonce: 'n' })))
  expect(url.origin + url.pathname).toBe(address)
  expect(Object.fromEntries(url.searchParams)).toEqual({
    ...expected,
    response_type: 'code',
    client_id: 'client-id',
    redirect_uri: 'http://127.0.0.1:8080/callback',
    state: 'state-0123456789',
    nonce: 'n',
    code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge_method: 'S256',
  })
})

describe('what is said of an account', () => {
  const ask = async (answer: object) => {
    nock('https://api.github.com').get('/user').reply(200, answer)
    return account('github')
  }

  test.each([
    ['is longer than it can be', 'x'.repeat(256)],
    ['holds a line break', 'ann\nroot'],
    ['holds what turns the line around', 'ann\u202emoc'],
    ['holds the token', 'I am token-1'],
    ['is no text', { nested: 'ann' }],
    ['is empty', ' '],
  ])('is left out when it %s', async (_, login) => {
    expect(await ask({ login, name: 'Ann' })).toMatchObject({ login: null, name: 'Ann' })
  })

  test.each([
    [401, {}, 'answered 401'],
    [200, '<html>', 'answered something that is not JSON'],
  ])('is an error, which whoever asks can overlook, at %i', async (status, body, words) => {
    const type = { 'content-type': typeof body === 'string' ? 'text/html' : 'application/json' }
    nock('https://api.github.com').get('/user').reply(status, body, type)
    expect((await failureOf(account('github'))).message).toContain(words)
  })
})
