import pg from 'pg'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { expectProblem, useVault } from '../support/vault.ts'

const v = useVault()
afterEach(() => {
  v.sandbox.faults.clear()
  v.sandbox.setAccessTokenTtl(3600)
})

const token = (name: string, key?: string, query: { subject?: string } = {}) =>
  v.call('getToken', { params: { name }, query }, key)

/** A connection whose access token has ended. */
async function connectionWithEndedToken() {
  v.sandbox.setAccessTokenTtl(1)
  const name = await v.createAuthorizedConnection()
  await new Promise((resolve) => setTimeout(resolve, 1000))
  v.sandbox.setAccessTokenTtl(3600)
  return name
}

describe('200', () => {
  test('hands the refresh token to a caller with that permission only', async () => {
    const name = await v.createAuthorizedConnection()
    const reader = await v.createCaller({ permissions: ['token:read'] })
    const privileged = await v.createCaller({ permissions: ['token:read', 'refresh_token:read'] })
    expect((await token(name, reader)).body).not.toHaveProperty('refresh_token')
    expect((await token(name)).body).not.toHaveProperty('refresh_token')
    expect((await token(name, privileged)).body.refresh_token).toBeTruthy()
  })

  test.each([
    ['', () => v.createAuthorizedConnection()],
    [', also by a token that had to be refreshed first', connectionWithEndedToken],
  ])('notes within seconds that the grant and the caller are used%s', async (_how, connect) => {
    const name = await connect()
    const caller = `caller-${name}`
    const key = await v.createCaller({ name: caller })
    const client = new pg.Client({ connectionString: v.databaseUrl })
    await client.connect()
    onTestFinished(() => client.end())
    const lastUsed = async () => {
      const text =
        'select g.last_used_at from grants g join connections c on c.id = connection_id where c.name = $1'
      return (await client.query(text, [name])).rows[0].last_used_at
    }
    expect(await lastUsed()).toBeNull()
    const lastCalled = async () =>
      (await client.query('select last_used_at from callers where name = $1', [caller])).rows[0].last_used_at
    expect(await lastCalled()).toBeNull()
    expect((await token(name, key)).status).toBe(200)
    await expect.poll(lastUsed, { timeout: 5000 }).not.toBeNull()
    await expect.poll(lastCalled, { timeout: 5000 }).not.toBeNull()
  })

  test.each([
    'no_expires_in',
    'expires_in_null',
    'expires_in_words',
    'expires_in_negative',
    'expires_in_string',
    'expires_in_huge',
    'no_token_type',
    'form_encoded',
    'scope_array',
    'extra_fields',
    'null_refresh_token',
    'empty_refresh_token',
    'no_refresh_token',
  ] as const)('after a refresh whose answer has %s, and the next refresh works too', async (kind) => {
    const name = await connectionWithEndedToken()
    v.sandbox.faults.set('token', { kind })
    const answer = await token(name)
    expect(answer).toMatchObject({ status: 200, body: { token_type: 'Bearer' } })
    if (answer.body.expires_at !== null) expect(Date.parse(answer.body.expires_at)).toBeGreaterThan(Date.now())
  })
})

describe('403', () => {
  test('permission_denied for another connection, whether it exists or not', async () => {
    const name = await v.createAuthorizedConnection()
    const key = await v.createCaller({ connections: ['google-*'] })
    const there = await token(name, key)
    const missing = await token('no-such-thing', key)
    expectProblem(there, 403, 'permission_denied')
    expectProblem(missing, 403, 'permission_denied')
    expect(there.body.detail.replace(name, 'X')).toBe(missing.body.detail.replace('no-such-thing', 'X'))
  })

  test('permission_denied for another subject', async () => {
    const name = await v.createConnection()
    await v.authorize(name, { subject: 'user-1' })
    const key = await v.createCaller({ subjects: ['user-1'] })
    expect((await token(name, key, { subject: 'user-1' })).status).toBe(200)
    expectProblem(await token(name, key, { subject: 'user-2' }), 403, 'permission_denied')
  })
})

describe('409', () => {
  test('grant_pending before the first authorization', async () => {
    expectProblem(await token(await v.createConnection()), 409, 'grant_pending')
  })

  test('grant_revoked after a revocation', async () => {
    const name = await v.createAuthorizedConnection()
    await v.call('revokeGrant', { params: { name }, body: {} })
    expectProblem(await token(name), 409, 'grant_revoked')
  })

  test('grant_expired when the provider refuses the refresh token, with its reason and no second call', async () => {
    const name = await connectionWithEndedToken()
    v.sandbox.faults.set('token', {
      kind: 'oauth_error',
      error: 'invalid_grant',
      description: 'the account was closed',
    })
    const answer = await token(name)
    expectProblem(answer, 409, 'grant_expired')
    expect(answer.body.detail).toContain('the account was closed')
    v.sandbox.faults.clear()
    const calls = v.sandbox.stats.tokenRequests.refresh_token
    expectProblem(await token(name), 409, 'grant_expired')
    expect(v.sandbox.stats.tokenRequests.refresh_token).toBe(calls)
    expect((await v.call('getConnection', { params: { name } })).body).toMatchObject({
      status: 'expired',
      last_error: { code: 'grant_expired' },
    })
  })
})

describe('422 and 5xx', () => {
  test.each([
    ['a rejected client', { kind: 'oauth_error', error: 'invalid_client' }, 422, 'client_rejected'],
    ['a failing provider', { kind: 'status', status: 503 }, 503, 'provider_unavailable'],
    [
      'a provider that limits calls',
      { kind: 'status', status: 429, headers: { 'retry-after': '30' } },
      503,
      'provider_unavailable',
    ],
    ['a hanging provider', { kind: 'hang' }, 503, 'provider_unavailable'],
    ['a provider that hangs up', { kind: 'reset' }, 503, 'provider_unavailable'],
    ['an empty 400', { kind: 'status', status: 400, body: '' }, 502, 'provider_answer_invalid'],
    ['a page', { kind: 'html' }, 502, 'provider_answer_invalid'],
  ] as const)('for %s, with the grant kept', async (_what, fault, status, code) => {
    const name = await connectionWithEndedToken()
    v.sandbox.faults.set('token', fault)
    const answer = await token(name)
    expectProblem(answer, status, code)
    if (status === 503) expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
    expect((await v.call('getConnection', { params: { name } })).body).toMatchObject({
      status: 'active',
      refreshable: true,
      last_error: { code },
    })
  })
})
