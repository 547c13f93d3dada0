import { describe, expect, test } from 'vitest'
import { expectProblem, useVault } from '../support/vault.ts'

const v = useVault()
const create = (given: Record<string, unknown>, key?: string) =>
  v.call('createCaller', { body: { name: 'x', permissions: ['token:read'], ...given } as never }, key)

describe('a key', () => {
  test('is refused from the next request on when it is revoked', async () => {
    const { body } = await create({ name: 'short-lived', permissions: ['connection:read'] })
    expect((await v.call('listConnections', {}, body.api_key)).status).toBe(200)
    await v.call('revokeCaller', { params: { id: body.id } })
    expectProblem(await v.call('listConnections', {}, body.api_key), 401, 'invalid_api_key')
  })

  test('is refused when it has expired', async () => {
    const expires_at = new Date(Date.now() + 400).toISOString()
    const { body } = await create({ name: 'expiring', permissions: ['connection:read'], expires_at })
    await new Promise((resolve) => setTimeout(resolve, 600))
    expectProblem(await v.call('listConnections', {}, body.api_key), 401, 'invalid_api_key')
  })

  test('is shown once', async () => {
    const { body } = await create({ name: 'shown-once' })
    expect(JSON.stringify((await v.call('listCallers')).body)).not.toContain(body.api_key)
  })

  test.each(['Basic abc', 'Bearer', 'Bearer  x', 'Bearer a b', ''])(
    'is not found in "%s"',
    async (authorization) => {
      const answer = await v.send('GET', '/v1/connections', { key: null, headers: { authorization } })
      expect(answer.status).toBe(401)
      expect(answer.headers['www-authenticate']).toContain('Bearer')
    },
  )
})

describe('403', () => {
  test('permission_denied for giving more than one holds', async () => {
    const key = await v.createCaller({ permissions: ['caller:manage', 'token:read'], connections: ['a-*'] })
    expect((await create({ name: 'less', connections: ['a-1'] }, key)).status).toBe(201)
    expectProblem(
      await create({ name: 'more-1', permissions: ['refresh_token:read'] }, key),
      403,
      'permission_denied',
    )
    expectProblem(await create({ name: 'more-2', connections: ['*'] }, key), 403, 'permission_denied')
    expectProblem(
      await create({ name: 'more-3', permissions: ['workspace:admin'] }, key),
      403,
      'permission_denied',
    )
  })

  test('permission_denied for revoking a caller that holds more', async () => {
    const key = await v.createCaller({ permissions: ['caller:manage'], connections: ['a-*'] })
    const { callers } = (await v.call('listCallers')).body
    const admin = callers.find((caller: { name: string }) => caller.name === 'admin')
    expectProblem(await v.call('revokeCaller', { params: { id: admin.id } }, key), 403, 'permission_denied')
  })
})

describe('other errors', () => {
  test('caller_exists for a name that is taken', async () => {
    await create({ name: 'taken' })
    expectProblem(await create({ name: 'taken' }), 409, 'caller_exists')
  })

  test('caller_not_found for an id that is none', async () => {
    expectProblem(await v.call('revokeCaller', { params: { id: crypto.randomUUID() } }), 404, 'caller_not_found')
  })

  test.each([
    ['no permissions', { permissions: [] }],
    ['an unknown permission', { permissions: ['everything'] }],
    ['a bad pattern', { connections: ['a b'] }],
    ['a date that is none', { expires_at: 'tomorrow' }],
    ['a date in the past', { expires_at: '2020-01-01T00:00:00Z' }],
    ['a leap second', { expires_at: '2029-12-31T23:59:60Z' }],
    ['a subject with NUL', { subjects: ['a\u0000b'] }],
    ['a subject with half a character', { subjects: ['a\ud800b'] }],
    ['an unknown field', { admin: true }],
  ])('invalid_request for %s', async (_what, given) => {
    expectProblem(await create({ name: 'bad', ...given }), 400, 'invalid_request')
  })
})
