import { generateKeyPairSync } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectDevice } from '@authconn/sandbox'
import pg from 'pg'
import { afterEach, describe, expect, test } from 'vitest'
import { composeVault } from '../../src/compose.ts'
import { commandOutput, createLogger } from '../../src/logger.ts'
import { expectProblem, useVault } from '../support/vault.ts'

// With the certified provider; what it lacks, assertions as grants, the sandbox adds.

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const nextKey = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = ({ privateKey }: typeof key) => privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const jwk = ({ publicKey }: typeof key, kid: string) =>
  ({ ...publicKey.export({ format: 'jwk' }), use: 'sig', kid }) as { kty: string }

const v = useVault({
  sandbox: {
    devicePollInterval: 1,
    signingAlg: 'ES256',
    clients: [
      { client_id: 'app', client_secret: 'a-secret-0123456789-0123456789-0123' },
      {
        client_id: 'robot',
        client_secret: 'unused-secret-0123456789-0123456789',
        service_account: 'robot@accounts.example',
        jwks: { keys: [jwk(key, 'key-1')] },
      },
    ],
  },
})
afterEach(() => v.sandbox.faults.clear())

/** What the provider says of a token, asked as one of its clients. */
async function introspect(token: string, client = 0) {
  const { client_id, client_secret } = [
    v.sandbox.client,
    { client_id: 'robot', client_secret: 'unused-secret-0123456789-0123456789' },
  ][client] ?? { client_id: '', client_secret: '' }
  const response = await fetch(`${v.sandbox.issuer}/introspect`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${client_id}:${client_secret}`)}` },
    body: new URLSearchParams({ token }),
  })
  return response.json()
}

const token = (name: string, query: object = {}) => v.call('getToken', { params: { name }, query })
const createGrant = (name: string, body: { subject?: string } = {}) =>
  v.call('createGrant', { params: { name }, body })
const requests = (grant: string) => v.sandbox.stats.tokenRequests[grant] ?? 0

describe('client credentials', () => {
  const create = (given: object = {}) =>
    v.createConnection({ grant_type: 'client_credentials', scopes: ['api:read'], ...given })

  test('give a token at the first fetch, and the same one until it is due', async () => {
    const name = await create()
    const pending = await v.call('getConnection', { params: { name } })
    expect(pending.body).toMatchObject({
      status: 'pending',
      grant_type: 'client_credentials',
      token_request: { scopes: ['api:read'], audience: null, resource: [], assertion: null },
    })
    const before = requests('client_credentials')
    const first = await token(name)
    expect(first.status).toBe(200)
    expect(await introspect(first.body.access_token)).toMatchObject({ active: true, scope: 'api:read' })
    expect((await token(name)).body.access_token).toBe(first.body.access_token)
    expect(requests('client_credentials')).toBe(before + 1)
    const { body } = await v.call('getConnection', { params: { name } })
    expect(body).toMatchObject({ status: 'active', refreshable: true, refresh_token_expires_at: null })
    expect(Date.parse(body.next_refresh_at)).toBeLessThan(Date.parse(body.expires_at))
  })

  test('are asked for once however many fetch first', async () => {
    const name = await create({ token_endpoint_auth_method: 'client_secret_post' })
    const before = requests('client_credentials')
    v.sandbox.changeSettings({ tokenLatencyMs: 150 })
    const answers = await Promise.all(Array.from({ length: 20 }, () => token(name)))
    v.sandbox.changeSettings({ tokenLatencyMs: 0 })
    expect(new Set(answers.map(({ body }) => body.access_token)).size).toBe(1)
    expect(requests('client_credentials')).toBe(before + 1)
  })

  test('are nobody else’s: a subject is refused', async () => {
    const name = await create()
    expectProblem(await token(name, { subject: 'alice' }), 400, 'invalid_request')
    expectProblem(await createGrant(name, { subject: 'alice' }), 400, 'invalid_request')
    expect((await v.call('listGrants', { params: { name } })).body.grants).toEqual([])
  })

  test('end at the provider with a revocation, and stay revoked until they are authorized again', async () => {
    const name = await create()
    const { access_token } = (await token(name)).body
    const revoked = await v.call('revokeGrant', { params: { name }, body: {} })
    expect(revoked.body).toMatchObject({ status: 'revoked', upstream: 'revoked' })
    expect(await introspect(access_token)).toEqual({ active: false })
    expectProblem(await token(name), 409, 'grant_revoked')
    expect((await v.call('getConnection', { params: { name } })).body).toMatchObject({ refreshable: false })
    const again = await createGrant(name)
    expect(again).toMatchObject({ status: 200, body: { status: 'active', subject: null } })
    const told = (await v.call('listEvents', { params: { name } })).body.events
    expect(told.map(({ type }: { type: string }) => type)).toEqual(
      expect.arrayContaining(['grant.revoked', 'grant.reopened']),
    )
    expect((await token(name)).body.access_token).not.toBe(access_token)
  })

  test('are revoked before anybody has fetched one, and then nobody does', async () => {
    const name = await create()
    const before = requests('client_credentials')
    const revoked = await v.call('revokeGrant', { params: { name }, body: {} })
    expect(revoked).toMatchObject({ status: 200, body: { status: 'revoked', upstream: 'nothing_to_revoke' } })
    expectProblem(await token(name), 409, 'grant_revoked')
    expect(requests('client_credentials')).toBe(before)
    expectProblem(
      await v.call('revokeGrant', { params: { name }, body: { subject: 'alice' } }),
      404,
      'grant_not_found',
    )
  })

  test('that are refused stop being asked for, are no dead grant, and are tried again when told to', async () => {
    const name = await create({ client_secret: 'wrong-secret-0123456789-0123456789' })
    expectProblem(await token(name), 422, 'client_rejected')
    const before = requests('client_credentials')
    expectProblem(await token(name), 422, 'client_rejected')
    expect(requests('client_credentials')).toBe(before)
    const body = { client_secret: v.sandbox.client.client_secret }
    await v.call('updateConnection', { params: { name }, body })
    expect((await token(name)).status).toBe(200)
  })

  test('with a scope that the provider refuses say so, and a valid token is served all the same', async () => {
    const name = await create()
    const { access_token } = (await token(name)).body
    const refusal = { kind: 'oauth_error', error: 'invalid_scope', description: 'no such scope' } as const
    v.sandbox.faults.set('token', refusal)
    // Within the pause after a refresh nobody forces another.
    await ageRefresh(name)
    const forced = await token(name, { force_refresh: true })
    expectProblem(forced, 422, 'token_request_rejected')
    expect(forced.body.detail).toContain('no such scope')
    expect((await token(name)).body.access_token).toBe(access_token)
    expectProblem(await createGrant(name), 422, 'token_request_rejected')
    v.sandbox.faults.clear()
    expect((await createGrant(name)).body).toMatchObject({ status: 'active', failures: 0, last_error: null })
  })

  test('need nobody to consent, and so no flow in which somebody could', async () => {
    const name = await create()
    const redirect_uri = 'http://127.0.0.1:8080/callback'
    const code = await v.call('startAuthorization', { params: { name }, body: { redirect_uri } })
    expectProblem(code, 409, 'grant_type_mismatch')
    expectProblem(
      await v.call('startDeviceAuthorization', { params: { name }, body: {} }),
      409,
      'grant_type_mismatch',
    )
    const other = await v.createConnection()
    expectProblem(await createGrant(other), 409, 'grant_type_mismatch')
    expectProblem(await token(other), 409, 'grant_pending')
  })

  test.each([
    [{ scopes: ['a'] }, '/body/scopes'],
    [{ resource: ['https://api.example'] }, '/body/resource'],
    [{ grant_type: 'client_credentials', assertion: {} }, '/body/assertion'],
    [{ grant_type: 'jwt_bearer' }, '/body/client_key'],
    [{ grant_type: 'client_credentials', token_endpoint_auth_method: 'none' }, 'none'],
  ])('are not asked for what they have no place for: %j', async (given, named) => {
    const { client_id, client_secret } = v.sandbox.client
    const base = { name: 'misplaced', provider_url: v.sandbox.issuer, client_id, client_secret }
    const answer = await v.send('POST', '/v1/connections', { body: { ...base, ...given } })
    expectProblem(answer, 400, 'invalid_request')
    expect(answer.body.detail).toContain(named)
  })
})

describe('a service account', () => {
  const create = (given: object = {}) =>
    v.createConnection({
      client_id: 'robot',
      client_secret: undefined,
      client_key: { private_key: pem(key), key_id: 'key-1' },
      grant_type: 'jwt_bearer',
      scopes: ['openid', 'api:read'],
      assertion: { issuer: 'robot@accounts.example' },
      ...given,
    })

  test('has a token by an assertion that its key signs, and no authentication besides', async () => {
    const name = await create()
    const { body } = await v.call('getConnection', { params: { name } })
    expect(body).toMatchObject({
      token_endpoint_auth_method: 'none',
      client_key: { algorithm: 'ES256', key_id: 'key-1' },
      token_request: {
        assertion: {
          issuer: 'robot@accounts.example',
          subject: 'robot@accounts.example',
          audience: v.sandbox.issuer,
        },
      },
    })
    expect(JSON.stringify(body)).not.toContain('PRIVATE')
    const { access_token } = (await token(name)).body
    expect(await introspect(access_token, 1)).toMatchObject({
      active: true,
      sub: 'robot@accounts.example',
      scope: 'openid api:read',
    })
    const revoked = await v.call('revokeGrant', { params: { name }, body: {} })
    expect(revoked.body.upstream).toBe('revoked')
    expect(await introspect(access_token, 1)).toEqual({ active: false })
  })

  test('acts for a user only where somebody who may authorize has said so', async () => {
    const name = await create({ assertion: { issuer: 'robot@accounts.example', scope_claim: true } })
    expectProblem(await token(name, { subject: 'alice' }), 409, 'grant_pending')
    const reader = await v.createCaller({ permissions: ['token:read'] })
    const refused = await v.call('createGrant', { params: { name }, body: { subject: 'alice' } }, reader)
    expectProblem(refused, 403, 'permission_denied')
    expect((await createGrant(name, { subject: 'alice' })).body).toMatchObject({
      subject: 'alice',
      status: 'active',
    })
    const { access_token } = (await token(name, { subject: 'alice' })).body
    expect(await introspect(access_token, 1)).toMatchObject({ sub: 'alice', scope: 'openid api:read' })
    expect((await token(name)).body.access_token).not.toBe(access_token)
  })

  test('whose key the provider does not know is refused, and goes on with the former one meanwhile', async () => {
    const name = await create()
    await token(name)
    const body = { client_key: { private_key: pem(nextKey), key_id: 'key-2' } }
    await v.call('updateConnection', { params: { name }, body })
    await ageRefresh(name)
    expect((await token(name, { force_refresh: true })).status).toBe(200)
    await v.call('updateConnection', { params: { name }, body: { ...body, overlap: 0 } })
    await ageRefresh(name)
    const answer = await token(name, { force_refresh: true })
    expectProblem(answer, 422, 'token_request_rejected')
    expect((await v.call('getConnection', { params: { name } })).body).toMatchObject({
      status: 'active',
      last_error: { code: 'token_request_rejected', class: 'configuration' },
    })
  })
})

describe('a device code', () => {
  const start = (name: string, body: object = {}) =>
    v.call('startDeviceAuthorization', { params: { name }, body: { scopes: ['openid', 'email'], ...body } })
  const recorded = async (name: string) => {
    const { records } = (await v.call('listAudit', { query: { connection: name, limit: 100 } })).body
    return records.filter(({ action }: { action: string }) => action === 'completeDeviceAuthorization')
  }
  const outcome = async (id: string) => (await v.call('getAuthorization', { params: { id } })).body

  test('is entered elsewhere, and gives tokens, an account and a grant as the browser does', async () => {
    const name = await v.createConnection()
    const started = await start(name, { subject: 'user-17' })
    expect(started.body).toMatchObject({
      status: 'pending',
      redirect_uri: null,
      user_code: expect.stringMatching(/^\w{4}-\w{4}$/),
      verification_uri: `${v.sandbox.issuer}/device`,
    })
    const { id, verification_uri_complete } = started.body
    const { text } = await connectDevice(verification_uri_complete, { login: 'carol' })
    expect(text).toContain('connected')
    await expect.poll(() => outcome(id), { timeout: 8_000 }).toMatchObject({ status: 'completed' })
    const { grants } = (await v.call('listGrants', { params: { name } })).body
    expect(grants).toMatchObject([
      { subject: 'user-17', status: 'active', refreshable: true, account: { email: 'carol@example.com' } },
    ])
    expect(await introspect((await token(name, { subject: 'user-17' })).body.access_token)).toMatchObject({
      active: true,
      sub: 'carol',
    })
    expect(v.sandbox.stats.devicePollsTooFast).toBe(0)
    expect(await recorded(name)).toMatchObject([
      {
        action: 'completeDeviceAuthorization',
        outcome: 'allowed',
        target: id,
        subject: 'user-17',
        actor_name: 'admin',
      },
    ])
  })

  test('is asked for by one of several replicas at a time, and by those that are left when one ends', async () => {
    const other = await composeVault(v.config, createLogger('silent', commandOutput(1)))
    const { tooFast, polls } = { tooFast: v.sandbox.stats.devicePollsTooFast, polls: requests(deviceCode) }
    const { id, verification_uri_complete } = (await start(await v.createConnection())).body
    await sleep(3_500)
    await other.close()
    expect(requests(deviceCode) - polls).toBeGreaterThanOrEqual(1)
    expect(requests(deviceCode) - polls).toBeLessThanOrEqual(3)
    await connectDevice(verification_uri_complete)
    await expect.poll(() => outcome(id), { timeout: 8_000 }).toMatchObject({ status: 'completed' })
    expect(v.sandbox.stats.devicePollsTooFast).toBe(tooFast)
  }, 20_000)

  test('is asked for no more often than the provider allows, whoever asks here', async () => {
    const { id } = (await start(await v.createConnection())).body
    v.sandbox.faults.set('token', { kind: 'oauth_error', error: 'slow_down' }, { times: 1 })
    const before = requests(deviceCode)
    for (let i = 0; i < 40; i++) {
      expect((await outcome(id)).status).toBe('pending')
      await sleep(100)
    }
    // One after a second, which was told to slow down by five.
    expect(requests(deviceCode) - before).toBe(1)
    await v.call('cancelAuthorization', { params: { id } })
  }, 15_000)

  test('that is refused fails with what the person said, and gives nothing', async () => {
    const name = await v.createConnection()
    const { id, user_code, verification_uri } = (await start(name)).body
    await connectDevice(verification_uri, { userCode: user_code, consent: 'deny' })
    await expect
      .poll(() => outcome(id), { timeout: 8_000 })
      .toMatchObject({ status: 'failed', failure_code: 'authorization_denied' })
    await expect
      .poll(() => recorded(name))
      .toMatchObject([
        { action: 'completeDeviceAuthorization', outcome: 'failed', reason: 'authorization_denied' },
      ])
    expectProblem(await token(name), 409, 'grant_pending')
  })

  test('that is cancelled is asked for no more', async () => {
    const { id } = (await start(await v.createConnection())).body
    expect((await v.call('cancelAuthorization', { params: { id } })).body).toMatchObject({ status: 'failed' })
    const before = requests(deviceCode)
    await sleep(2_500)
    expect(requests(deviceCode)).toBe(before)
    const body = { redirected_url: 'http://127.0.0.1:8080/callback?code=a&state=b' }
    expectProblem(await v.call('completeAuthorization', { params: { id }, body }), 400, 'callback_invalid')
  })

  test('that its caller began ends with the key of that caller', async () => {
    const key = await v.createCaller({ permissions: ['connection:authorize'], name: 'begun-and-gone' })
    const name = await v.createConnection()
    await v.call('startDeviceAuthorization', { params: { name }, body: {} }, key)
    const { callers } = (await v.call('listCallers', { query: { limit: 1000 } })).body
    const { id } = callers.find((each: { name: string }) => each.name === 'begun-and-gone')
    await v.call('revokeCaller', { params: { id } })
    const before = requests(deviceCode)
    await sleep(2_500)
    expect(requests(deviceCode)).toBe(before)
  })

  test('whose answers the provider breaks is an error that says so', async () => {
    const name = await v.createConnection()
    v.sandbox.faults.set('device_authorization', { kind: 'oauth_error', error: 'invalid_scope' }, { times: 1 })
    expectProblem(await start(name), 422, 'authorization_request_rejected')
    v.sandbox.faults.set('device_authorization', { kind: 'html' }, { times: 1 })
    expectProblem(await start(name), 502, 'provider_answer_invalid')
  })

  test('is not to be had where nothing is known of an endpoint for it', async () => {
    const { issuer } = v.sandbox
    const name = await v.createConnection({
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
    })
    expectProblem(await start(name), 422, 'device_authorization_unsupported')
  })
})

const deviceCode = 'urn:ietf:params:oauth:grant-type:device_code'

/** As if the last refresh of a connection had been long ago. */
async function ageRefresh(name: string): Promise<void> {
  const client = new pg.Client({ connectionString: v.databaseUrl })
  await client.connect()
  await client.query(
    `update grants set last_refreshed_at = now() - interval '1 hour'
     where connection_id in (select id from connections where name = $1)`,
    [name],
  )
  await client.end()
}
