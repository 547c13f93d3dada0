import nock from 'nock'
import { describe, expect, test } from 'vitest'
import { requestOf } from './support/clients.ts'
import { failureOf } from './support/failures.ts'
import { basic, useKnownProviders } from './support/known-provider.ts'
import { createSigningKey } from './support/signing.ts'

// The answers are those that the providers' documentation shows.

const { exchange, refresh, revoke } = useKnownProviders()

const key = createSigningKey('key-1')
const openid = { scopes: ['openid', 'email'], nonce: 'nonce-1' }

function idToken(issuer: string, claims: Record<string, unknown> = {}): string {
  const now = Math.floor(Date.now() / 1000)
  const own = { iss: issuer, sub: '1', aud: 'client-id', iat: now, exp: now + 3600, nonce: 'nonce-1' }
  return key.sign({ ...own, ...claims })
}

describe('Google', () => {
  const google = 'https://accounts.google.com'
  const tokenEndpoint = () => nock('https://oauth2.googleapis.com')

  test('exchanges a code', async () => {
    nock('https://www.googleapis.com')
      .get('/oauth2/v3/certs')
      .reply(200, { keys: [key.jwk] })
    tokenEndpoint()
      .post('/token', {
        grant_type: 'authorization_code',
        code: 'code-1',
        redirect_uri: 'http://127.0.0.1:8080/callback',
        code_verifier: requestOf().codeVerifier.reveal(),
        client_id: 'client-id',
        client_secret: 'client-secret',
      })
      .reply(200, {
        access_token: '1/fFAGRNJru1FTz70BzhT3Zg',
        expires_in: 3920,
        token_type: 'Bearer',
        scope: 'openid https://www.googleapis.com/auth/userinfo.email',
        refresh_token: '1//xEoDL4iW3cxlI7yDbSRFYNG01kVKM2C-259HOF2aQbI',
        refresh_token_expires_in: 604_799,
        id_token: idToken('https://accounts.google.com', { azp: 'client-id' }),
      })
    const callbackOfGoogle = {
      iss: 'https://accounts.google.com',
      scope: 'email openid',
      authuser: '0',
      prompt: 'consent',
    }
    expect(await exchange(google, openid, callbackOfGoogle)).toEqual({
      accessToken: '1/fFAGRNJru1FTz70BzhT3Zg',
      refreshToken: '1//xEoDL4iW3cxlI7yDbSRFYNG01kVKM2C-259HOF2aQbI',
      expiresIn: 3920,
      expiryAssumed: false,
      refreshTokenExpiresIn: 604_799,
      tokenType: 'Bearer',
      scope: 'openid https://www.googleapis.com/auth/userinfo.email',
      metadata: {},
      account: null,
    })
  })

  test('refreshes without a new refresh token', async () => {
    tokenEndpoint()
      .post('/token', /grant_type=refresh_token/)
      .reply(200, {
        access_token: 'at2',
        expires_in: 3599,
        scope: 'openid',
        token_type: 'Bearer',
        id_token: 'odd',
      })
    const tokens = await refresh(google)
    expect(tokens).toMatchObject({ accessToken: 'at2', refreshToken: null, expiresIn: 3599 })
    // Six months from each use, as its documentation has it.
    expect(tokens.refreshTokenExpiresIn).toBe(180 * 86_400)
  })

  test('says that a refresh token has expired', async () => {
    tokenEndpoint()
      .post('/token')
      .reply(400, { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' })
    const failure = await failureOf(refresh(google))
    expect(failure.kind).toBe('invalid_grant')
    expect(failure.message).toBe(
      'https://oauth2.googleapis.com/token answered 400 invalid_grant: Token has been expired or revoked.',
    )
  })

  test('says that a client is unknown', async () => {
    tokenEndpoint()
      .post('/token')
      .reply(401, { error: 'invalid_client', error_description: 'The OAuth client was not found.' })
    expect((await failureOf(refresh(google))).kind).toBe('client')
  })

  test('revokes, also what is revoked already', async () => {
    const revocations = tokenEndpoint()
      .post('/revoke', (body) => body.token === 'token-1' && body.token_type_hint === 'refresh_token')
      .reply(200, {})
      .post('/revoke')
      .reply(400, { error: 'invalid_token', error_description: 'Token expired or revoked' })
    await revoke(google, 'refresh_token')
    await revoke(google, 'refresh_token')
    expect(revocations.isDone()).toBe(true)
  })
})

describe('Microsoft', () => {
  const tid = '72f988bf-86f1-41af-91ab-2d7cd011db47'
  const login = 'https://login.microsoftonline.com'

  test('exchanges a code for an account of any tenant', async () => {
    nock(login)
      .get('/common/discovery/v2.0/keys')
      .reply(200, { keys: [key.jwk] })
    nock(login)
      .post('/common/oauth2/v2.0/token')
      .reply(200, {
        token_type: 'Bearer',
        scope: 'https://graph.microsoft.com/User.Read profile openid email',
        expires_in: 3599,
        ext_expires_in: 3599,
        access_token: 'EwBgA8l6BAAURSN',
        refresh_token: 'M.R3_BAY.CdEf',
        id_token: idToken(`${login}/${tid}/v2.0`, { tid }),
      })
    const tokens = await exchange(`${login}/common`, openid, { session_state: 'fe1540c3' })
    expect(tokens).toMatchObject({
      accessToken: 'EwBgA8l6BAAURSN',
      refreshToken: 'M.R3_BAY.CdEf',
      expiresIn: 3599,
    })
  })

  test('gives another refresh token with a refresh', async () => {
    nock(login)
      .post('/common/oauth2/v2.0/token', {
        grant_type: 'refresh_token',
        refresh_token: 'refresh-1',
        client_id: 'client-id',
        client_secret: 'client-secret',
      })
      .reply(200, {
        token_type: 'Bearer',
        scope: 'https://graph.microsoft.com/User.Read',
        expires_in: 3599,
        ext_expires_in: 3599,
        access_token: 'EwBgA8l6BAAURSN-2',
        refresh_token: 'M.R3_BAY.GhIj',
      })
    expect(await refresh(`${login}/common`)).toMatchObject({
      accessToken: 'EwBgA8l6BAAURSN-2',
      refreshToken: 'M.R3_BAY.GhIj',
      refreshTokenExpiresIn: 90 * 86_400,
    })
  })

  test.each([
    [
      'invalid_grant',
      'AADSTS70008: The provided authorization code or refresh token has expired.',
      'invalid_grant',
    ],
    ['invalid_client', 'AADSTS7000215: Invalid client secret provided.', 'client'],
    ['unauthorized_client', 'AADSTS700016: Application was not found in the directory.', 'client'],
    ['interaction_required', 'AADSTS50076: You must use multi-factor authentication.', 'invalid_grant'],
    ['temporarily_unavailable', 'AADSTS90033: A transient error occurred.', 'passing'],
    ['invalid_scope', 'AADSTS70011: The provided value for scope is not valid.', 'unrecognized'],
  ])('%s is what it is', async (error, words, kind) => {
    const trace = 'Trace ID: 255d1aef-8c98-452f-ac51-23d051240864'
    nock(login)
      .post(`/${tid}/oauth2/v2.0/token`)
      .reply(400, {
        error,
        error_description: `${words}\r\n${trace}\r\nTimestamp: 2016-01-09 02:02:12Z`,
        error_codes: [70_011],
        trace_id: '255d1aef-8c98-452f-ac51-23d051240864',
      })
    const failure = await failureOf(refresh(`${login}/${tid}`))
    expect(failure.kind).toBe(kind)
    expect(failure.message).toContain(`${error}: ${words} ${trace}`)
  })
})

describe('QuickBooks', () => {
  const quickbooks = 'https://appcenter.intuit.com/connect/oauth2'
  const answer = {
    token_type: 'bearer',
    expires_in: 3600,
    refresh_token: 'Q311488394272qbajGfLBwGVVPeZUzzHkoZPEGR3Qk9CsjNrFT',
    x_refresh_token_expires_in: 8_726_400,
    access_token: 'eyJlbmMiOiJBMTI4Q0JDLUhTMjU2IiwiYWxnIjoiZGlyIn0..KM1_Fezsm6BUSaqqfTedaA',
  }

  test('exchanges a code, with Basic authentication, for an ID token without a nonce', async () => {
    nock('https://oauth.platform.intuit.com')
      .get('/op/v1/jwks')
      .reply(200, { keys: [key.jwk] })
    nock('https://oauth.platform.intuit.com', { reqheaders: basic })
      .post('/oauth2/v1/tokens/bearer', (body) => body.client_secret === undefined)
      .reply(200, {
        ...answer,
        id_token: idToken('https://oauth.platform.intuit.com/op/v1', {
          aud: ['client-id'],
          nonce: undefined,
          realmid: '1',
        }),
      })
    expect(await exchange(quickbooks, openid, { realmId: '123146029749222' })).toEqual({
      accessToken: answer.access_token,
      refreshToken: answer.refresh_token,
      expiresIn: 3600,
      expiryAssumed: false,
      refreshTokenExpiresIn: 8_726_400,
      tokenType: 'Bearer',
      scope: null,
      metadata: { realm_id: '123146029749222' },
      account: null,
    })
  })

  test('gives a new refresh token with a refresh', async () => {
    nock('https://oauth.platform.intuit.com').post('/oauth2/v1/tokens/bearer').reply(200, answer)
    const tokens = await refresh(quickbooks)
    expect(tokens.refreshToken).toBe(answer.refresh_token)
  })

  test.each([
    [400, 'invalid_grant', 'Incorrect or invalid refresh token', 'invalid_grant'],
    [401, 'invalid_client', 'Invalid client', 'client'],
  ])('%i %s is what it is', async (status, error, error_description, kind) => {
    nock('https://oauth.platform.intuit.com')
      .post('/oauth2/v1/tokens/bearer')
      .reply(status, { error, error_description })
    expect((await failureOf(refresh(quickbooks))).kind).toBe(kind)
  })

  test('revokes on another host than it issues', async () => {
    nock('https://developer.api.intuit.com')
      .post('/v2/oauth2/tokens/revoke', /token=token-1/)
      .reply(200)
    await revoke(quickbooks, 'refresh_token')
  })
})

describe('GitHub', () => {
  const github = 'https://github.com/login/oauth/authorize'
  const form = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }
  const scopes = { scopes: ['repo', 'gist'] }

  test('answers JSON when it is asked for', async () => {
    nock('https://github.com', { reqheaders: { accept: 'application/json' } })
      .post('/login/oauth/access_token')
      .reply(200, {
        access_token: 'gho_16C7e42F292c6912E7710c838347Ae178B4a',
        scope: 'repo,gist',
        token_type: 'bearer',
      })
    expect(await exchange(github, scopes, { iss: 'https://github.com/login/oauth' })).toEqual({
      accessToken: 'gho_16C7e42F292c6912E7710c838347Ae178B4a',
      refreshToken: null,
      expiresIn: null,
      expiryAssumed: false,
      refreshTokenExpiresIn: null,
      tokenType: 'Bearer',
      scope: 'repo gist',
      metadata: {},
      account: null,
    })
  })

  test('answers form-encoded by default', async () => {
    nock('https://github.com')
      .post('/login/oauth/access_token')
      .reply(
        200,
        'access_token=gho_16C7e42F292c6912E7710c838347Ae178B4a&scope=repo%2Cgist&token_type=bearer',
        form,
      )
    expect(await exchange(github, scopes)).toMatchObject({ scope: 'repo gist', tokenType: 'Bearer' })
  })

  test('has expiring user tokens, without scopes', async () => {
    nock('https://github.com').post('/login/oauth/access_token').reply(200, {
      access_token: 'ghu_16C7e42F292c6912E7710c838347Ae178B4a',
      expires_in: 28_800,
      refresh_token: 'ghr_1B4a2e77838347a7E420ce178F2E7c6912E169246c34E1ccbF66C46812d16D5B1A9Dc86A1498',
      refresh_token_expires_in: 15_897_600,
      scope: '',
      token_type: 'bearer',
    })
    expect(await exchange(github, openid)).toMatchObject({ expiresIn: 28_800, scope: null })
  })

  test('gives another pair with a refresh, where tokens expire', async () => {
    nock('https://github.com')
      .post('/login/oauth/access_token', (body) => body.refresh_token === 'refresh-1')
      .reply(200, {
        access_token: 'ghu_2',
        expires_in: 28_800,
        refresh_token: 'ghr_2',
        refresh_token_expires_in: 15_897_600,
        scope: '',
        token_type: 'bearer',
      })
    expect(await refresh(github)).toMatchObject({
      accessToken: 'ghu_2',
      refreshToken: 'ghr_2',
      expiresIn: 28_800,
      refreshTokenExpiresIn: 15_897_600,
    })
  })

  test.each([
    ['bad_verification_code', 'invalid_grant', 'The code passed is incorrect or expired.'],
    [
      'redirect_uri_mismatch',
      'invalid_grant',
      'The redirect_uri MUST match the registered callback URL for this application.',
    ],
    ['incorrect_client_credentials', 'client', 'The client_id and/or client_secret passed are incorrect.'],
    ['bad_refresh_token', 'invalid_grant', 'The refresh token passed is incorrect or expired.'],
    ['unverified_user_email', 'unintelligible', 'The user must have a verified primary email.'],
  ])('says %s with status 200', async (error, kind, words) => {
    const body = { error, error_description: words, error_uri: '/apps/x/#y' }
    nock('https://github.com').post('/login/oauth/access_token').twice().reply(200, body)
    const refreshed = await failureOf(refresh(github))
    const exchanged = await failureOf(exchange(github, scopes))
    expect([refreshed.kind, exchanged.kind]).toEqual([kind, kind])
    expect(exchanged.message).toBe(`https://github.com/login/oauth/access_token answered 200 ${error}: ${words}`)
  })

  test('says it form-encoded, too', async () => {
    nock('https://github.com')
      .post('/login/oauth/access_token')
      .reply(200, 'error=bad_verification_code&error_description=The+code+passed+is+incorrect+or+expired.', form)
    expect((await failureOf(exchange(github, scopes))).kind).toBe('invalid_grant')
  })
})
