import { setTimeout as sleep } from 'node:timers/promises'
import { type OperationName, routes } from '@authconn/shared'
import { proveVault } from '@authconn/shared/local'
import { expect, onTestFinished, test } from 'vitest'
import { startIssuer, vaultAudience } from '../support/oidc-issuer.ts'
import { useVault } from '../support/vault.ts'

const v = useVault()

test('creates, authorizes, hands out, refreshes, lists, revokes and deletes', async () => {
  const created = await v.call('createConnection', {
    body: {
      name: 'main-job',
      type: 'TYPE_OAUTH2',
      provider_url: v.sandbox.issuer,
      client_id: v.sandbox.client.client_id,
      client_secret: v.sandbox.client.client_secret,
    },
  })
  expect(created.status).toBe(201)
  expect(created.body).toMatchObject({ name: 'main-job', status: 'pending', expires_at: null, refreshable: false })
  expect(created.body.endpoints.token_endpoint).toBe(`${v.sandbox.issuer}/token`)
  expect(JSON.stringify(created.body)).not.toContain(v.sandbox.client.client_secret)

  v.sandbox.setAccessTokenTtl(4)
  const completed = await v.authorize('main-job')
  expect(completed.status).toBe(200)
  expect(completed.body).toMatchObject({
    connection: 'main-job',
    status: 'completed',
    grant: { status: 'active', refreshable: true, account: { email: expect.stringContaining('@') } },
  })
  expect(JSON.stringify(completed.body)).not.toMatch(/access_token|refresh_token"/)

  const first = await v.call('getToken', { params: { name: 'main-job' } })
  expect(first.status).toBe(200)
  expect(first.headers['cache-control']).toBe('no-store')
  expect(Object.keys(first.body).sort()).toEqual(['access_token', 'expires_at', 'scope', 'token_type', 'version'])
  expect(first.body.token_type).toBe('Bearer')
  expect(Date.parse(first.body.expires_at) - Date.now()).toBeLessThan(4500)

  await sleep(4000)
  const second = await v.call('getToken', { params: { name: 'main-job' } })
  expect(second.status).toBe(200)
  expect(second.body.access_token).not.toBe(first.body.access_token)
  expect(v.sandbox.stats.tokenRequests.refresh_token).toBe(1)
  const userinfo = await fetch(`${v.sandbox.issuer}/userinfo`, {
    headers: { authorization: `Bearer ${second.body.access_token}` },
  })
  expect(userinfo.status).toBe(200)

  const listed = await v.call('listConnections')
  expect(listed.body).toMatchObject({
    connections: [{ name: 'main-job', status: 'active', account: completed.body.grant.account }],
    next: null,
  })
  const got = await v.call('getConnection', { params: { name: 'main-job' } })
  expect(got.body.last_refreshed_at).not.toBeNull()
  expect((await v.call('listGrants', { params: { name: 'main-job' } })).body.grants).toMatchObject([
    { subject: null },
  ])
  expect((await v.call('listEvents', { params: { name: 'main-job' } })).body.events).toMatchObject([
    { type: 'grant.refreshed', connection: 'main-job', subject: null },
  ])
  for (const client_secret of ['another', v.sandbox.client.client_secret]) {
    const updated = await v.call('updateConnection', { params: { name: 'main-job' }, body: { client_secret } })
    expect(updated.body.former_client_secret_until).not.toBeNull()
  }
  v.sandbox.setAccessTokenTtl(3600)

  const revoked = await v.call('revokeGrant', { params: { name: 'main-job' }, body: {} })
  expect(revoked.body).toMatchObject({ status: 'revoked', upstream: 'revoked', detail: null })
  const dead = await fetch(`${v.sandbox.issuer}/userinfo`, {
    headers: { authorization: `Bearer ${second.body.access_token}` },
  })
  expect(dead.status).toBe(401)
  expect((await v.call('getToken', { params: { name: 'main-job' } })).body.code).toBe('grant_revoked')

  await v.authorize('main-job')
  const deleted = await v.call('deleteConnection', { params: { name: 'main-job' } })
  expect(deleted.body).toMatchObject({ name: 'main-job', revocations: [{ upstream: 'revoked' }] })
  expect((await v.call('getConnection', { params: { name: 'main-job' } })).body.code).toBe('connection_not_found')
})

test('proves to a challenge that it is the vault, differently to each', async () => {
  const answers = await Promise.all(
    ['a'.repeat(43), 'b'.repeat(43)].map((challenge) => v.call('getHealth', { query: { challenge } }, null)),
  )
  const proofs = answers.map(({ body }) => body.proof)
  expect(proofs).toEqual(
    ['a'.repeat(43), 'b'.repeat(43)].map((each) => proveVault(v.vault.proofKey.reveal(), each)),
  )
  expect(proofs[0]).not.toBe(proofs[1])
  expect((await v.call('getHealth', { query: { challenge: 'short' } }, null)).status).toBe(400)
})

test('answers the other operations too', async () => {
  expect((await v.call('getHealth', {}, null)).body).toEqual({ status: 'ok' })
  expect((await v.call('getReadiness', {}, null)).body).toEqual({ status: 'ok' })
  expect((await v.call('getSelf')).body).toMatchObject({ name: 'admin', workspace: 'default' })
  const { providers } = (await v.call('listProviders')).body
  expect(providers.map((provider: { id: string }) => provider.id)).toEqual(expect.arrayContaining(['google']))

  const name = await v.createConnection()
  const { id } = await v.consent(name)
  expect((await v.call('getAuthorization', { params: { id } })).body).toMatchObject({ id, status: 'pending' })
  expect((await v.call('cancelAuthorization', { params: { id } })).body).toMatchObject({ status: 'failed' })

  const device = await v.call('startDeviceAuthorization', { params: { name }, body: {} })
  expect(device.body).toMatchObject({ status: 'pending', user_code: expect.any(String) })
  await v.call('cancelAuthorization', { params: { id: device.body.id } })
  const own = await v.createConnection({ grant_type: 'client_credentials' })
  expect((await v.call('createGrant', { params: { name: own }, body: {} })).body).toMatchObject({
    status: 'active',
  })

  const caller = await v.call('createCaller', { body: { name: 'ci', permissions: ['token:read'] } })
  expect(caller.body.api_key).toMatch(/^ack_/)
  expect((await v.call('listCallers')).body.callers.map((each: { name: string }) => each.name)).toEqual([
    'admin',
    'ci',
  ])
  const rotated = await v.call('rotateCaller', { params: { id: caller.body.id }, body: {} })
  expect(rotated.body.api_key).not.toBe(caller.body.api_key)
  expect((await v.call('revokeCaller', { params: { id: caller.body.id } })).body.revoked_at).not.toBeNull()
  expect((await v.call('listAudit')).body.records.length).toBeGreaterThan(0)
  expect((await v.call('verifyAudit', { body: {} })).body).toMatchObject({ intact: true })

  const operator = await v.createOperator()
  const made = await v.call('createWorkspace', { body: { name: 'tenant' } }, operator)
  expect(made.body.administrator.api_key).toMatch(/^ack_/)
  const { workspaces } = (await v.call('listWorkspaces', {}, operator)).body
  expect(workspaces.map((each: { name: string }) => each.name)).toContain('tenant')
})

test('takes the token of a CI job for a key that fetches a token, until the trust is revoked', async () => {
  const issuer = await startIssuer()
  onTestFinished(issuer.stop)
  const name = 'ci-jobs'
  const trust = {
    name,
    preset: 'github' as const,
    issuer: issuer.url,
    audience: [vaultAudience],
    claims: [{ claim: 'repository_id', values: ['456789'] }],
    permissions: ['token:read' as const],
  }
  expect((await v.call('createTrust', { body: trust })).status).toBe(201)
  expect((await v.call('listTrusts')).body.trusts).toMatchObject([{ name }])
  expect((await v.call('getTrust', { params: { name } })).body).toMatchObject(trust)
  expect((await v.call('listLogins', {}, null)).body).toEqual({ logins: [] })
  const body = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: issuer.sign(issuer.githubClaims()),
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  } as const
  const { access_token } = (await v.call('exchangeToken', { body }, null)).body
  const connection = await v.createAuthorizedConnection()
  const fetchToken = () => v.call('getToken', { params: { name: connection } }, access_token)
  expect((await fetchToken()).status).toBe(200)
  const again = { ...body, subject_token: issuer.sign(issuer.githubClaims()) }
  const other = (await v.call('exchangeToken', { body: again }, null)).body.access_token
  expect((await v.call('revokeSelf', {}, other)).status).toBe(200)
  expect((await v.call('getSelf', {}, other)).body.code).toBe('invalid_api_key')
  expect((await v.call('revokeTrust', { params: { name } })).status).toBe(200)
  expect((await fetchToken()).body.code).toBe('invalid_api_key')
})

// Last, after all others of this file.
test('every operation of the contract has been seen to succeed here', () => {
  const missing = (Object.keys(routes) as OperationName[]).filter((name) => !v.succeeded.has(name))
  expect(missing).toEqual([])
})
