import type { NewCaller } from '@authconn/shared'
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

describe('getSelf', () => {
  test('tells whose key it is, in which workspace, and not the key', async () => {
    const { body } = await create({ name: 'curious', connections: ['m-*'], subjects: ['alice'] })
    const { api_key, ...caller } = body
    const self = await v.call('getSelf', {}, api_key)
    expect(self).toMatchObject({ status: 200, body: { ...caller, workspace: 'default' } })
    expect(JSON.stringify(self.body)).not.toContain(api_key)
    expect((await v.call('getSelf', {}, await v.createWorkspace())).body.workspace).not.toBe('default')
  })

  test('is on record, as every decision is', async () => {
    const { body } = await create({ name: 'recorded-self' })
    await v.call('getSelf', {}, body.api_key)
    const { records } = (await v.call('listAudit', { query: { caller: 'recorded-self' } })).body
    expect(records).toMatchObject([{ action: 'getSelf', outcome: 'allowed' }])
  })
})

describe('a key that is bound to addresses', () => {
  const from = (address: string, key: string) => v.send('GET', '/v1/connections', { key, address })

  test('works at home alone, and does not tell where that is', async () => {
    const addresses = ['10.0.0.0/8', '192.0.2.7', '2001:db8::/32']
    const { body } = await create({ name: 'homely', permissions: ['connection:read'], addresses })
    expect(body.addresses).toEqual(addresses)
    for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '192.0.2.7', '2001:db8::1']) {
      expect((await from(address, body.api_key)).status).toBe(200)
    }
    for (const address of ['127.0.0.1', '::1', '192.0.2.8', '::ffff:192.0.2.8', '2001:db9::', 'fe80::1%eth0']) {
      const answer = await from(address, body.api_key)
      expectProblem(answer, 403, 'permission_denied')
      expect(JSON.stringify(answer.body)).not.toMatch(/10\.0\.0\.0|192\.0\.2\.7|2001:db8/)
    }
  })

  test('fetches tokens at home alone', async () => {
    const name = await v.createAuthorizedConnection()
    const key = await v.createCaller({ addresses: ['10.0.0.0/8'] })
    const url = `/v1/connections/${name}/token`
    expect((await v.send('GET', url, { key, address: '::ffff:10.0.0.1' })).status).toBe(200)
    expectProblem(await v.send('GET', url, { key }), 403, 'permission_denied')
    expectProblem(await v.send('GET', '/metrics', { key }), 403, 'permission_denied')
  })

  test('is on record by its name when it is used elsewhere', async () => {
    const { body } = await create({ name: 'strayed', permissions: ['connection:read'], addresses: ['10.0.0.1'] })
    await from('192.0.2.99', body.api_key)
    const { records } = (await v.call('listAudit', { query: { caller: 'strayed' } })).body
    expect(records).toMatchObject([
      { actor: body.id, outcome: 'denied', reason: 'permission_denied', address: '192.0.2.99' },
    ])
  })

  test('makes only keys that are bound to addresses within its own', async () => {
    const manager = await v.createCaller({
      permissions: ['caller:manage', 'token:read'],
      addresses: ['127.0.0.0/8', '10.0.0.0/8'],
    })
    const inherited = await create({ name: 'bound-1' }, manager)
    expect(inherited.body.addresses).toEqual(['127.0.0.0/8', '10.0.0.0/8'])
    expect((await create({ name: 'bound-2', addresses: ['10.1.0.0/16'] }, manager)).status).toBe(201)
    for (const addresses of [null, ['0.0.0.0/0'], ['10.0.0.0/7'], ['10.0.0.1', '192.0.2.1']]) {
      expectProblem(await create({ name: 'unbound', addresses }, manager), 403, 'permission_denied')
    }
  })
})

describe('a rotation', () => {
  const rotate = (id: string, body: { overlap?: number } = {}, key?: string) =>
    v.call('rotateCaller', { params: { id }, body }, key)
  const isGood = async (key: string) => (await v.call('listConnections', {}, key)).status === 200

  test('gives another key, and the former one works on for a day', async () => {
    const { body: made } = await create({ name: 'rotated', permissions: ['connection:read'] })
    const { status, body } = await rotate(made.id)
    expect(status).toBe(200)
    expect(body.api_key).not.toBe(made.api_key)
    const { api_key: _former, former_key_until: _none, ...unchanged } = made
    expect(body).toMatchObject(unchanged)
    const left = Date.parse(body.former_key_until) - Date.now()
    expect(Math.abs(left - 86_400_000)).toBeLessThan(60_000)
    expect([await isGood(made.api_key), await isGood(body.api_key)]).toEqual([true, true])
    const listed = (await v.call('listCallers')).body.callers
    const shown = listed.find(({ id }: { id: string }) => id === made.id)
    expect(shown.former_key_until).toBe(body.former_key_until)
    expect(JSON.stringify(listed)).not.toContain(body.api_key)
  })

  test('without an overlap has the former key refused from the next request on', async () => {
    const { body: made } = await create({ name: 'leaked', permissions: ['connection:read'] })
    const { body } = await rotate(made.id, { overlap: 0 })
    expect(body.former_key_until).toBeNull()
    expect([await isGood(made.api_key), await isGood(body.api_key)]).toEqual([false, true])
  })

  test('is for a caller itself, too, when it manages callers', async () => {
    const { body: made } = await create({ name: 'self', permissions: ['caller:manage'], connections: ['a-*'] })
    const { status, body } = await rotate(made.id, { overlap: 0 }, made.api_key)
    expect(status).toBe(200)
    expect((await v.call('listCallers', {}, body.api_key)).status).toBe(200)
    expectProblem(await v.call('listCallers', {}, made.api_key), 401, 'invalid_api_key')
  })

  test('of a caller that holds more is refused, and changes nothing', async () => {
    const { body: made } = await create({ name: 'mighty', permissions: ['token:read', 'connection:read'] })
    const all = ['caller:manage', 'token:read', 'connection:read'] as const
    const lesser: Partial<NewCaller>[] = [
      { permissions: [...all], connections: ['a-*'] },
      { permissions: [...all], subjects: ['alice'] },
      { permissions: [...all], addresses: ['127.0.0.1'] },
      { permissions: [...all], expires_at: '2099-01-01T00:00:00Z' },
      { permissions: ['caller:manage', 'token:read'] },
    ]
    for (const limits of lesser) {
      const key = await v.createCaller(limits)
      expectProblem(await rotate(made.id, { overlap: 0 }, key), 403, 'permission_denied')
    }
    expect(await isGood(made.api_key)).toBe(true)
  })

  test('of a caller that is revoked, has expired or was never there is refused', async () => {
    const { body: made } = await create({ name: 'gone' })
    await v.call('revokeCaller', { params: { id: made.id } })
    expectProblem(await rotate(made.id), 404, 'caller_not_found')
    expectProblem(await rotate(crypto.randomUUID()), 404, 'caller_not_found')
    const expires_at = new Date(Date.now() + 300).toISOString()
    const { body: ended } = await create({ name: 'ended', expires_at })
    await new Promise((resolve) => setTimeout(resolve, 400))
    expectProblem(await rotate(ended.id), 400, 'invalid_request')
  })

  test.each([-1, 1.5, 2_592_001, '60'])('with %j as overlap is no valid request', async (overlap) => {
    const { body } = await create({ name: `odd-${overlap}` })
    expectProblem(await rotate(body.id, { overlap: overlap as number }), 400, 'invalid_request')
  })
})

test('a caller tells when it was last used, to the hour', async () => {
  const { body: made } = await create({ name: 'used', permissions: ['connection:read'] })
  const lastUsed = async () => {
    const { callers } = (await v.call('listCallers', { query: { after: 'use', limit: 1 } })).body
    return callers[0].last_used_at
  }
  expect(await lastUsed()).toBeNull()
  await v.call('listConnections', {}, made.api_key)
  await expect.poll(lastUsed).not.toBeNull()
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

  test('permission_denied for making an operator, also by the administrator', async () => {
    expectProblem(await create({ name: 'operator', permissions: ['vault:operate'] }), 403, 'permission_denied')
  })

  test('permission_denied for revoking a caller that holds more', async () => {
    const key = await v.createCaller({ permissions: ['caller:manage'], connections: ['a-*'] })
    const { callers } = (await v.call('listCallers')).body
    const admin = callers.find((caller: { name: string }) => caller.name === 'admin')
    expectProblem(await v.call('revokeCaller', { params: { id: admin.id } }, key), 403, 'permission_denied')
  })
})

test('an address that is none is named in the answer', async () => {
  const { body } = await create({ name: 'bad', addresses: ['10.0.0.0/8', '10.1.2.3/8'] })
  expect(body.detail).toContain('10.1.2.3/8')
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
    ['an address that is none', { addresses: ['10.0.0.256'] }],
    ['a range that begins elsewhere', { addresses: ['10.0.0.0/8', '10.1.2.3/8'] }],
    ['a name for an address', { addresses: ['localhost'] }],
    ['no address at all', { addresses: [] }],
  ])('invalid_request for %s', async (_what, given) => {
    expectProblem(await create({ name: 'bad', ...given }), 400, 'invalid_request')
  })
})
