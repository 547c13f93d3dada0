import { contract, type OperationName, permissionNames, routes } from '@authconn/shared'
import { describe, expect, test } from 'vitest'
import { createApiKey } from '../../src/core/callers/api-key.ts'
import { expectProblem, urlOf, useVault } from '../support/vault.ts'

const v = useVault()
const operations = Object.keys(routes) as OperationName[]
const guarded = operations.filter((name) => contract[name].permission !== 'public')

const params = { name: 'some-connection', id: '7c9e6679-7425-40de-944b-e07fc1f90ae7' }
const send = (name: OperationName, key: string | null) =>
  v.send(routes[name][0], urlOf(name, params, {}), { key, ...('body' in contract[name] ? { body: {} } : {}) })

describe.each(guarded)('%s', (name) => {
  test('refuses a request without a key, or with one that is none', async () => {
    expectProblem(await send(name, null), 401, 'unauthenticated')
    expectProblem(await send(name, 'nonsense'), 401, 'invalid_api_key')
    expectProblem(await send(name, createApiKey().reveal()), 401, 'invalid_api_key')
  })

  test('refuses a key that holds every permission but its own', async () => {
    const permissions = permissionNames.filter((permission) => permission !== contract[name].permission)
    expectProblem(await send(name, await v.createCaller({ permissions })), 403, 'permission_denied')
  })

  test('lets a key in that holds its permission', async () => {
    const { permission } = contract[name]
    if (permission === 'public') throw new Error('not guarded')
    const { status, body } = await send(name, await v.createCaller({ permissions: [permission] }))
    expect([401, 403], JSON.stringify(body)).not.toContain(status)
    expect(status).toBeLessThan(500)
  })
})

test('a caller sees only the connections it is for', async () => {
  const inside = await v.createConnection({ name: 'inside-1' })
  await v.createConnection({ name: 'outside-1' })
  const key = await v.createCaller({ permissions: ['connection:read'], connections: ['inside-*'] })
  const listed = await v.call('listConnections', {}, key)
  expect(listed.body.connections.map((each: { name: string }) => each.name)).toEqual([inside])
  expectProblem(await v.call('getConnection', { params: { name: 'outside-1' } }, key), 403, 'permission_denied')
})

describe('a caller for some subjects', () => {
  async function limited() {
    const name = await v.createConnection()
    for (const subject of [undefined, 'alice', 'bob']) await v.authorize(name, subject ? { subject } : {})
    const permissions = ['connection:read', 'connection:manage', 'token:read'] as const
    return { name, key: await v.createCaller({ permissions: [...permissions], subjects: ['alice'] }) }
  }

  test('lists the application grant and theirs, page by page', async () => {
    const { name, key } = await limited()
    const subjects = async (query: { limit?: number; after?: string }) => {
      const { body } = await v.call('listGrants', { params: { name }, query }, key)
      return [body.grants.map((grant: { subject: string | null }) => grant.subject), body.next]
    }
    expect(await subjects({})).toEqual([[null, 'alice'], null])
    expect(await subjects({ limit: 1 })).toEqual([[null], ''])
    expect(await subjects({ limit: 1, after: '' })).toEqual([['alice'], null])
  })

  test('does not delete a connection, which would revoke the grants of others', async () => {
    const { name, key } = await limited()
    expectProblem(await v.call('deleteConnection', { params: { name } }, key), 403, 'permission_denied')
    expect((await v.call('getToken', { params: { name }, query: { subject: 'bob' } })).status).toBe(200)
  })
})
