import { generateKeyPairSync, verify } from 'node:crypto'
import nock from 'nock'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createOAuth } from '../../src/adapters/oauth/create-oauth.ts'
import { readTokenRequest } from '../../src/core/connections/read-token-request.ts'
import type { OAuth, OAuthClient } from '../../src/core/oauth-port.ts'
import { Secret } from '../../src/core/secret.ts'
import { clientOf, idp, secretMethods, secretOf } from './support/clients.ts'
import { openLockedDoor, openMockedDoor } from './support/doors.ts'
import { failureOf } from './support/failures.ts'

// The requests and answers are those that RFC 6749, RFC 7523, RFC 8628 and the providers' documentation show.

let oauth: OAuth
let bodies: URLSearchParams[]

beforeEach(() => {
  nock.disableNetConnect()
  bodies = []
  oauth = createOAuth({ safeFetch: openMockedDoor(), refreshTimeoutMs: 2_000 })
})

afterEach(() => {
  expect(nock.pendingMocks()).toEqual([])
  nock.cleanAll()
  nock.enableNetConnect()
  nock.restore()
  nock.activate()
})

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const signing: OAuthClient['credential'] = {
  kind: 'key',
  privateKey: new Secret(rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()),
  algorithm: 'RS256',
  keyId: 'key-1',
  certificate: null,
}

/** A POST that is noted, with what must be in its headers. */
function answering(url: string, status: number, answer: object, headers = {}) {
  const { origin, pathname } = new URL(url)
  nock(origin, { reqheaders: headers })
    .post(pathname, (body) => {
      const pairs = Object.entries(body as Record<string, string | string[]>)
      bodies.push(
        new URLSearchParams(pairs.flatMap(([name, value]) => [value].flat().map((each) => [name, each]))),
      )
      return true
    })
    .reply(status, answer)
}

const sent = () => Object.fromEntries(bodies.at(-1) ?? [])

async function resolve(provider: string, given = {}): Promise<OAuthClient> {
  const { resolveProvider } = createOAuth({ safeFetch: openLockedDoor(), refreshTimeoutMs: 2_000 })
  const input = { provider, clientId: 'client-id', endpoints: {}, authMethods: secretMethods, ...given }
  return { ...(await resolveProvider(input)), clientId: 'client-id', credential: secretOf('client-secret') }
}

/** A service account as `authconn create` makes it. */
async function serviceAccount(
  provider: string,
  assertion: { issuer?: string; subject?: string },
  scopes: string[],
) {
  const client = {
    ...(await resolve(provider, { grantType: 'jwt_bearer', authMethods: ['none', 'private_key_jwt'] })),
    credential: signing,
  }
  const wanted = { name: 'n', client_id: 'client-id', grant_type: 'jwt_bearer' as const, scopes, assertion }
  const request = readTokenRequest(wanted, client, oauth.assertionHabits(provider))
  if (!request) throw new Error('nothing is asked for')
  return { client, request }
}

function readAssertion(jwt = '') {
  const [head = '', payload = '', signature = ''] = jwt.split('.')
  const isSigned = verify(
    'sha256',
    Buffer.from(`${head}.${payload}`),
    rsa.publicKey,
    Buffer.from(signature, 'base64url'),
  )
  expect(isSigned).toBe(true)
  const decode = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())
  return { header: decode(head), claims: decode(payload) }
}

const grantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

describe('a Google service account', () => {
  const scopes = ['https://www.googleapis.com/auth/drive.readonly', 'openid']

  test('sends an assertion of an hour with its scopes, and nothing besides', async () => {
    const { client, request } = await serviceAccount(
      'google',
      { issuer: 'robot@p.iam.gserviceaccount.com' },
      scopes,
    )
    answering('https://oauth2.googleapis.com/token', 200, {
      access_token: 'ya29.token',
      expires_in: 3599,
      token_type: 'Bearer',
    })
    const tokens = await oauth.requestToken(client, { ...request, subject: '' })
    expect(tokens).toMatchObject({ expiresIn: 3599, expiryAssumed: false, refreshToken: null })
    const { assertion, ...rest } = sent()
    expect(rest).toEqual({ grant_type: grantType })
    const { header, claims } = readAssertion(assertion)
    expect(header).toMatchObject({ alg: 'RS256', kid: 'key-1' })
    expect(claims).toEqual({
      iss: 'robot@p.iam.gserviceaccount.com',
      aud: 'https://oauth2.googleapis.com/token',
      scope: scopes.join(' '),
      iat: expect.any(Number),
      exp: claims.iat + 3600,
      jti: expect.any(String),
    })
  })

  test('names the user that it acts for by domain-wide delegation', async () => {
    const { client, request } = await serviceAccount(
      'google',
      { issuer: 'robot@p.iam.gserviceaccount.com' },
      scopes,
    )
    answering('https://oauth2.googleapis.com/token', 200, { access_token: 'ya29.token', expires_in: 3599 })
    await oauth.requestToken(client, { ...request, subject: 'ann@acme.example' })
    expect(readAssertion(sent().assertion).claims.sub).toBe('ann@acme.example')
  })

  test('is told which of its claims is refused, without what it sent', async () => {
    const { client, request } = await serviceAccount(
      'google',
      { issuer: 'robot@p.iam.gserviceaccount.com' },
      scopes,
    )
    answering('https://oauth2.googleapis.com/token', 400, {
      error: 'invalid_grant',
      error_description: 'Invalid JWT Signature.',
    })
    const failure = await failureOf(oauth.requestToken(client, { ...request, subject: '' }))
    expect(failure).toMatchObject({
      kind: 'invalid_grant',
      message: expect.stringContaining('Invalid JWT Signature'),
    })
    expect(failure.message).not.toContain(sent().assertion)
  })
})

test('Salesforce gets the client and the user, its scopes beside the assertion, and three minutes', async () => {
  const { client, request } = await serviceAccount('salesforce', { subject: 'integration@acme.example' }, ['api'])
  answering('https://login.salesforce.com/services/oauth2/token', 200, {
    access_token: '00Dxx0000001gPL!AR8AQ',
    scope: 'api',
    instance_url: 'https://acme.my.salesforce.com',
    id: 'https://login.salesforce.com/id/00Dxx0000001gPLEAY/005xx000001SwiUAAS',
    token_type: 'Bearer',
  })
  nock('https://login.salesforce.com').post('/services/oauth2/introspect').reply(401, { error: 'invalid_client' })
  const tokens = await oauth.requestToken(client, { ...request, subject: '' })
  expect(tokens).toMatchObject({
    expiresIn: 7200,
    expiryAssumed: true,
    metadata: { instance_url: 'https://acme.my.salesforce.com' },
  })
  const { assertion, ...rest } = sent()
  expect(rest).toEqual({ grant_type: grantType, scope: 'api' })
  const { claims } = readAssertion(assertion)
  expect(claims).toMatchObject({
    iss: 'client-id',
    sub: 'integration@acme.example',
    aud: 'https://login.salesforce.com',
    exp: claims.iat + 180,
  })
})

test('a provider that wants an account named is not asked without one', async () => {
  await expect(serviceAccount('docusign', {}, ['signature'])).rejects.toMatchObject({
    code: 'invalid_request',
    message: expect.stringContaining('/body/assertion/subject'),
  })
})

describe('client credentials', () => {
  const request = {
    scopes: ['read', 'write'],
    audience: 'https://api.example',
    resource: ['https://api.example/a', 'https://api.example/b'],
    assertion: null,
    subject: '',
  }

  test('are asked for with scope, audience and each resource, as the client authenticates', async () => {
    answering(
      `${idp}/token`,
      200,
      { access_token: 'token-1', token_type: 'bearer', expires_in: 60, refresh_token: 'kept by nobody' },
      { authorization: `Basic ${btoa('client-id:client-secret-0123456789')}` },
    )
    const tokens = await oauth.requestToken(clientOf(), request)
    expect([...(bodies[0] ?? [])]).toEqual([
      ['scope', 'read write'],
      ['audience', 'https://api.example'],
      ['resource', 'https://api.example/a'],
      ['resource', 'https://api.example/b'],
      ['grant_type', 'client_credentials'],
    ])
    expect(tokens.refreshToken).toBeNull()
    expect(tokens.expiresIn).toBe(60)
  })

  test('of a client with a key come with an assertion that says who asks', async () => {
    answering(`${idp}/token`, 200, { access_token: 'token-1', token_type: 'bearer', expires_in: 60 })
    const client = clientOf({ tokenEndpointAuthMethod: 'private_key_jwt', credential: signing })
    await oauth.requestToken(client, { ...request, audience: null, resource: [], scopes: [] })
    const { client_assertion: assertion, ...rest } = sent()
    expect(rest).toMatchObject({ grant_type: 'client_credentials', client_id: 'client-id' })
    expect(rest).not.toHaveProperty('scope')
    expect(readAssertion(assertion).claims).toMatchObject({ iss: 'client-id', sub: 'client-id', aud: idp })
  })

  test('without an expires_in last as long as is cautious', async () => {
    answering(`${idp}/token`, 200, { access_token: 'token-1', token_type: 'bearer' })
    expect(await oauth.requestToken(clientOf(), request)).toMatchObject({ expiresIn: 3600, expiryAssumed: true })
  })

  test.each([
    [200, { error: 'invalid_client', access_token: 'a' }, 'client'],
    [200, { access_token: 'a', token_type: 'mac' }, 'unintelligible'],
    [200, { token_type: 'bearer' }, 'unintelligible'],
    [503, {}, 'passing'],
    [403, { error: 'invented' }, 'unrecognized'],
  ])('answered with %i %j are no token', async (status, answer, kind) => {
    answering(`${idp}/token`, status, answer)
    expect(await failureOf(oauth.requestToken(clientOf(), request))).toMatchObject({ kind })
  })
})

describe('a refresh', () => {
  const refresh = async (provider: string, redirectUri: string | null) =>
    oauth.refresh(await resolve(provider), new Secret('refresh-1'), redirectUri)

  test.each([
    ['gitlab', 'https://gitlab.com/oauth/token'],
    ['basecamp', 'https://launchpad.37signals.com/authorization/token'],
  ])('at %s names the redirect URI of its authorization', async (provider, url) => {
    answering(url, 200, { access_token: 'token-2', token_type: 'Bearer', expires_in: 7200, refresh_token: 'r2' })
    await refresh(provider, 'http://127.0.0.1:8080/callback')
    expect(sent()).toMatchObject({ refresh_token: 'refresh-1', redirect_uri: 'http://127.0.0.1:8080/callback' })
  })

  test('names it nowhere else, and not where there was none', async () => {
    answering('https://oauth2.googleapis.com/token', 200, { access_token: 'token-2', expires_in: 3599 })
    await refresh('google', 'http://127.0.0.1:8080/callback')
    expect(sent()).not.toHaveProperty('redirect_uri')
    answering('https://gitlab.com/oauth/token', 200, { access_token: 'token-2', expires_in: 7200 })
    await refresh('gitlab', null)
    expect(sent()).not.toHaveProperty('redirect_uri')
  })

  test('brings what the answer says of the account’s place', async () => {
    answering('https://login.salesforce.com/services/oauth2/token', 200, {
      access_token: 'token-2',
      token_type: 'Bearer',
      expires_in: 7200,
      instance_url: 'https://moved.my.salesforce.com',
    })
    expect((await refresh('salesforce', null)).metadata).toEqual({
      instance_url: 'https://moved.my.salesforce.com',
    })
  })
})

describe('a device code', () => {
  const codes = {
    device_code: 'device-code-0123456789',
    user_code: 'WDJB-MJHT',
    verification_uri: 'https://github.com/login/device',
    expires_in: 899,
    interval: 5,
  }

  test('of GitHub is asked for with the client and its scopes', async () => {
    answering('https://github.com/login/device/code', 200, codes)
    const { deviceCode, ...shown } = await oauth.startDevice(await resolve('github'), ['repo', 'read:user'])
    expect(deviceCode.reveal()).toBe('device-code-0123456789')
    expect(shown).toEqual({
      userCode: 'WDJB-MJHT',
      verificationUri: 'https://github.com/login/device',
      verificationUriComplete: null,
      expiresIn: 899,
      interval: 5,
    })
    expect(sent()).toMatchObject({ client_id: 'client-id', scope: 'repo read:user' })
  })

  test('of Google has the address by another name', async () => {
    const { verification_uri: _, ...others } = codes
    answering('https://oauth2.googleapis.com/device/code', 200, {
      ...others,
      verification_url: 'https://www.google.com/device',
    })
    const { verificationUri } = await oauth.startDevice(await resolve('google'), ['email'])
    expect(verificationUri).toBe('https://www.google.com/device')
  })

  test.each([
    [
      { ...codes, interval: undefined, expires_in: 'soon' },
      { interval: 5, expiresIn: 600 },
    ],
    [
      { ...codes, interval: 100_000, expires_in: 1e12 },
      { interval: 60, expiresIn: 3600 },
    ],
    [
      { ...codes, interval: -1, expires_in: 0 },
      { interval: 5, expiresIn: 600 },
    ],
    [{ ...codes, verification_uri_complete: 'javascript:alert(1)' }, { verificationUriComplete: null }],
  ])('keeps within bounds: %j', async (answer, expected) => {
    answering('https://github.com/login/device/code', 200, answer)
    expect(await oauth.startDevice(await resolve('github'), [])).toMatchObject(expected)
  })

  test.each([
    [{ ...codes, device_code: undefined }],
    [{ ...codes, user_code: 'A\u001b[31mB' }],
    [{ ...codes, verification_uri: 'file:///etc/passwd' }],
    [{ ...codes, verification_uri: 'http://github.com/login/device' }],
    [[]],
  ])('that nobody could use is none: %j', async (answer) => {
    answering('https://github.com/login/device/code', 200, answer)
    expect(await failureOf(oauth.startDevice(await resolve('github'), []))).toMatchObject({
      kind: 'unintelligible',
    })
  })

  test.each([
    [200, { error: 'authorization_pending' }, 'authorization_pending'],
    [400, { error: 'slow_down', interval: 10 }, 'slow_down'],
    [400, { error: 'expired_token' }, 'expired_token'],
  ])('is not decided yet, or no more: %i %j', async (status, answer, oauthError) => {
    answering('https://github.com/login/oauth/access_token', status, answer)
    const polled = oauth.pollDevice(await resolve('github'), [], new Secret('device-code-0123456789'))
    expect(await failureOf(polled)).toMatchObject({ oauthError })
    expect(sent()).toMatchObject({
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      device_code: 'device-code-0123456789',
    })
  })

  test('gives tokens only with an ID token that is what it should be', async () => {
    const forged = [{ alg: 'RS256' }, { iss: idp, aud: 'somebody else', sub: 's', iat: 1, exp: 2 }, {}]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.')
    answering(`${idp}/token`, 200, { access_token: 'a', token_type: 'bearer', id_token: forged })
    answering(`${idp}/revoke`, 200, {})
    const polled = oauth.pollDevice(clientOf(), ['openid'], new Secret('device-code-0123456789'))
    expect(await failureOf(polled)).toMatchObject({ kind: 'id_token' })
    // What came with it is not left alive.
    expect(sent()).toMatchObject({ token: 'a' })
  })
})
