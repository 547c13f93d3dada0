import { afterEach, expect, test } from 'vitest'
import { useVault } from '../support/vault.ts'

const v = useVault()
afterEach(() => v.sandbox.faults.clear())

const revoke = (name: string) => v.call('revokeGrant', { params: { name }, body: {} })

test('reports a failed revocation at the provider, keeps it with the grant, and retries until it is done', async () => {
  const name = await v.createAuthorizedConnection()
  v.sandbox.faults.set('revocation', { kind: 'status', status: 503 })
  const { status, body } = await revoke(name)
  expect(status).toBe(200)
  expect(body).toMatchObject({ status: 'revoked', upstream: 'retrying', detail: expect.stringContaining('503') })
  expect((await v.call('getConnection', { params: { name } })).body).toMatchObject({
    status: 'revoked',
    last_error: { detail: expect.stringContaining('Not yet revoked') },
  })
})

test('revokes nothing twice', async () => {
  const name = await v.createAuthorizedConnection()
  expect((await revoke(name)).body.upstream).toBe('revoked')
  expect((await revoke(name)).body).toMatchObject({ status: 'revoked', upstream: 'nothing_to_revoke' })
})

test('says so when the provider has no revocation', async () => {
  const name = await v.createConnection({
    authorization_endpoint: `${v.sandbox.issuer}/authorize`,
    token_endpoint: `${v.sandbox.issuer}/token`,
    issuer_url: v.sandbox.issuer,
  })
  expect((await v.authorize(name, { scopes: ['api:read'] })).body).toMatchObject({ status: 'completed' })
  expect((await revoke(name)).body).toMatchObject({ status: 'revoked', upstream: 'unsupported' })
})

test('leaves the grants of other subjects alone', async () => {
  const name = await v.createConnection()
  await v.authorize(name, { subject: 'user-1' })
  await v.authorize(name, { subject: 'user-2' })
  await v.call('revokeGrant', { params: { name }, body: { subject: 'user-1' } })
  expect((await v.call('getToken', { params: { name }, query: { subject: 'user-1' } })).body.code).toBe(
    'grant_revoked',
  )
  expect((await v.call('getToken', { params: { name }, query: { subject: 'user-2' } })).status).toBe(200)
})

test('goes on saying that the provider has not revoked, however often it is asked', async () => {
  const name = await v.createAuthorizedConnection()
  v.sandbox.faults.set('revocation', { kind: 'status', status: 503 })
  await revoke(name)
  expect((await revoke(name)).body).toMatchObject({ upstream: 'retrying', detail: expect.stringContaining('503') })
  const pending = async () => (await v.call('getConnection', { params: { name } })).body
  expect(await pending()).toMatchObject({ pending_revocations: 1, last_error: expect.anything() })
  v.sandbox.faults.clear()
  await v.authorize(name)
  expect(await pending()).toMatchObject({ status: 'active', pending_revocations: 1 })
})

test('says so when the provider revokes no tokens of this type', async () => {
  const name = await v.createAuthorizedConnection()
  v.sandbox.faults.set('revocation', { kind: 'oauth_error', error: 'unsupported_token_type', status: 400 })
  expect((await revoke(name)).body).toMatchObject({ status: 'revoked', upstream: 'unsupported' })
  expect((await v.call('getConnection', { params: { name } })).body.pending_revocations).toBe(0)
})

test('ends a grant here although its stored tokens are damaged', async () => {
  const name = await v.createAuthorizedConnection()
  await v.damage(name)
  expect((await v.call('getToken', { params: { name } })).body.code).toBe('sealed_value_damaged')
  expect((await revoke(name)).body).toMatchObject({
    status: 'revoked',
    upstream: 'failed',
    detail: expect.stringContaining('damaged'),
  })
  expect((await v.call('getToken', { params: { name } })).body.code).toBe('grant_revoked')
  expect((await v.call('deleteConnection', { params: { name } })).status).toBe(200)
})

test('deletes a connection with many subjects at a provider that hangs in about the time of one call', async () => {
  const name = await v.createConnection()
  for (const subject of ['a', 'b', 'c', 'd', 'e', 'f']) await v.authorize(name, { subject })
  v.sandbox.faults.set('revocation', { kind: 'hang' })
  const begun = performance.now()
  const { body } = await v.call('deleteConnection', { params: { name } })
  expect(body.revocations).toHaveLength(6)
  for (const each of body.revocations) expect(each.upstream).toBe('retrying')
  // The tests give a call two seconds.
  expect(performance.now() - begun).toBeLessThan(6000)
})
