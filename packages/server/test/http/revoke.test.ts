import { afterEach, expect, test } from 'vitest'
import { useVault } from '../support/vault.ts'

const v = useVault()
afterEach(() => v.sandbox.faults.clear())

const revoke = (name: string) => v.call('revokeGrant', { params: { name }, body: {} })

test('reports a failed revocation at the provider, keeps it with the grant, and retries until it is done', async () => {
  const name = await v.createConnection()
  await v.authorize(name)
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
  const name = await v.createConnection()
  await v.authorize(name)
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
