import { afterEach, describe, expect, test } from 'vitest'
import { expectProblem, useVault } from '../support/vault.ts'

const v = useVault()
afterEach(() => v.sandbox.faults.clear())

const update = (name: string, body: Record<string, unknown>, key?: string) =>
  v.call('updateConnection', { params: { name }, body }, key)
const forced = (name: string) => v.call('getToken', { params: { name }, query: { force_refresh: true } })
const get = async (name: string) => (await v.call('getConnection', { params: { name } })).body

describe('a new client secret', () => {
  test('overlaps with the former one, which serves while the provider does not know the new one', async () => {
    const name = await v.createAuthorizedConnection()
    const { body } = await update(name, { client_secret: 'not-yet-known-at-the-provider' })
    const days = (Date.parse(body.former_client_secret_until) - Date.now()) / 86_400_000
    expect(days).toBeCloseTo(7, 1)
    expect(JSON.stringify(body)).not.toContain('not-yet-known')
    const before = v.sandbox.stats.tokenRequests.refresh_token ?? 0
    expect((await forced(name)).status).toBe(200)
    // The new one was tried first, and was refused.
    expect(v.sandbox.stats.tokenRequests.refresh_token).toBe(before + 2)
    expect((await v.authorize(name)).status).toBe(200)
    expect((await v.call('revokeGrant', { params: { name }, body: {} })).body.upstream).toBe('revoked')
  })

  test('never has the former one tried after an outcome that nobody knows', async () => {
    const name = await v.createAuthorizedConnection()
    await update(name, { client_secret: 'not-yet-known-at-the-provider' })
    for (const fault of [
      { kind: 'reset_after' },
      { kind: 'status', status: 500 },
      { kind: 'hang' },
      { kind: 'status', status: 401 },
      { kind: 'oauth_error', error: 'unauthorized_client' },
    ] as const) {
      const fresh = await v.createAuthorizedConnection()
      await update(fresh, { client_secret: 'not-yet-known-at-the-provider' })
      v.sandbox.faults.set('token', fault)
      const before = v.sandbox.stats.tokenRequests.refresh_token ?? 0
      expect((await forced(fresh)).status).toBeGreaterThanOrEqual(400)
      expect(v.sandbox.stats.tokenRequests.refresh_token, fault.kind).toBe(before + 1)
      v.sandbox.faults.clear()
    }
  })

  test('has the former one forgotten at once without an overlap', async () => {
    const name = await v.createAuthorizedConnection()
    const { body } = await update(name, { client_secret: 'unknown-at-the-provider', overlap: 0 })
    expect(body.former_client_secret_until).toBeNull()
    expectProblem(await forced(name), 422, 'client_rejected')
  })

  test('sets free what had stopped over the refused one', async () => {
    const name = await v.createAuthorizedConnection()
    await update(name, { client_secret: 'wrong', overlap: 0 })
    expectProblem(await forced(name), 422, 'client_rejected')
    expect(await get(name)).toMatchObject({
      status: 'active',
      next_refresh_at: null,
      failures: 1,
      last_error: { code: 'client_rejected', class: 'configuration' },
    })
    // The token that is valid goes on being served meanwhile.
    expect((await v.call('getToken', { params: { name } })).status).toBe(200)

    await update(name, { client_secret: v.sandbox.client.client_secret })
    expect(Date.parse((await get(name)).next_refresh_at)).toBeLessThan(Date.now() + 11_000)
    expect((await forced(name)).status).toBe(200)
    expect(await get(name)).toMatchObject({ failures: 0, last_error: null })
  })
})

test('how the client authenticates can be changed', async () => {
  const name = await v.createAuthorizedConnection()
  const changed = await update(name, { token_endpoint_auth_method: 'client_secret_post' })
  expect(changed.body).toMatchObject({ token_endpoint_auth_method: 'client_secret_post' })
  expect((await forced(name)).status).toBe(200)
})

test('refuses what changes nothing, or makes no sense', async () => {
  const name = await v.createAuthorizedConnection()
  expectProblem(await update(name, {}), 400, 'invalid_request')
  expectProblem(await update(name, { overlap: 60 }), 400, 'invalid_request')
  expectProblem(await update(name, { client_secret: 'a', overlap: -1 }), 400, 'invalid_request')
  expectProblem(await update(name, { client_id: 'other' }), 400, 'invalid_request')
  expectProblem(await update('no-such-thing', { client_secret: 'a' }), 404, 'connection_not_found')
  const key = await v.createCaller({ permissions: ['connection:manage'], connections: ['other-*'] })
  expectProblem(await update(name, { client_secret: 'a' }, key), 403, 'permission_denied')
})
