import { contract, type OperationName, routes } from '@authconn/shared'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { composeVault } from '../../src/compose.ts'
import { commandOutput, createLogger } from '../../src/logger.ts'
import { urlOf } from '../support/url-of.ts'
import { type Answer, expectProblem, useVault } from '../support/vault.ts'

const v = useVault()
let operator: string
beforeAll(async () => {
  operator = await v.createOperator()
})

const make = (name: string, key = operator) => v.call('createWorkspace', { body: { name } }, key)

describe('a new workspace', () => {
  test('has an administrator who may do everything in it, and nothing beyond', async () => {
    const { status, body } = await make('acme')
    expect(status).toBe(201)
    expect(body).toMatchObject({ name: 'acme', administrator: { name: 'admin', subjects: null, addresses: null } })
    const { permissions, api_key: key } = body.administrator
    for (const beyond of ['vault:operate', 'metrics:read', 'refresh_token:read']) {
      expect(permissions).not.toContain(beyond)
    }
    const connection = { ...example(), name: 'theirs' }
    expect((await v.call('createConnection', { body: connection }, key)).status).toBe(201)
    const { id, redirectedUrl } = await v.consent('theirs', {}, key)
    const completed = await v.call(
      'completeAuthorization',
      { params: { id }, body: { redirected_url: redirectedUrl } },
      key,
    )
    expect(completed.status).toBe(200)
    expect((await v.call('getToken', { params: { name: 'theirs' } }, key)).status).toBe(200)
    expectProblem(await make('nested', key), 403, 'permission_denied')
    expectProblem(await v.send('GET', '/metrics', { key }), 403, 'permission_denied')
    for (const permission of ['vault:operate', 'metrics:read'] as const) {
      const wanted = { body: { name: 'x', permissions: [permission] } }
      expectProblem(await v.call('createCaller', wanted, key), 403, 'permission_denied')
    }
  })

  test('shares no names with others', async () => {
    const [one, two] = [await v.createWorkspace(), await v.createWorkspace()]
    for (const key of [one, two]) {
      expect((await v.call('createConnection', { body: { ...example(), name: 'same' } }, key)).status).toBe(201)
      expect((await v.call('listConnections', {}, key)).body.connections).toHaveLength(1)
    }
    await v.call('deleteConnection', { params: { name: 'same' } }, one)
    expect((await v.call('getConnection', { params: { name: 'same' } }, two)).status).toBe(200)
  })

  test('works at once on a replica that has never heard of it', async () => {
    const replica = await composeVault(v.config, createLogger('silent', commandOutput(1)))
    onTestFinished(() => replica.close())
    const ask = (method: string, url: string, key: string, payload?: object) =>
      replica.app.inject({
        method: method as 'GET',
        url,
        headers: { authorization: `Bearer ${key}` },
        ...(payload ? { payload } : {}),
      })
    // The replica has been asked for what is not there yet.
    expect((await ask('GET', '/v1/connections', operator)).statusCode).toBe(403)
    const { body } = await make('elsewhere')
    const created = await ask('POST', '/v1/connections', body.administrator.api_key, {
      ...example(),
      name: 'theirs',
    })
    expect(created.statusCode).toBe(201)
    const own = await v.call('getConnection', { params: { name: 'theirs' } }, body.administrator.api_key)
    expect(own.status).toBe(200)
  })
})

describe('workspaces', () => {
  test('are listed by name, in pages', async () => {
    for (const name of ['z-3', 'z-1', 'z-2']) await make(name)
    const page = async (query: { after: string; limit: number }) =>
      (await v.call('listWorkspaces', { query }, operator)).body
    const first = await page({ after: 'z', limit: 2 })
    expect(first.workspaces.map((each: { name: string }) => each.name)).toEqual(['z-1', 'z-2'])
    expect(first.next).toBe('z-2')
    expect(await page({ after: 'z-2', limit: 2 })).toMatchObject({ workspaces: [{ name: 'z-3' }], next: null })
  })
})

describe('errors', () => {
  test.each(['default', 'operators', 'twice'])('workspace_exists for "%s"', async (name) => {
    if (name === 'twice') await make(name)
    expectProblem(await make(name), 409, 'workspace_exists')
  })

  test.each(['', 'Upper', '-a', 'a b', 'a'.repeat(64)])('invalid_request for "%s"', async (name) => {
    expectProblem(await make(name), 400, 'invalid_request')
  })

  test('permission_denied for administrators', async () => {
    expectProblem(await make('x', v.adminKey), 403, 'permission_denied')
    expectProblem(await v.call('listWorkspaces', {}), 403, 'permission_denied')
  })
})

describe('an operator', () => {
  const own: OperationName[] = [
    ...(['createWorkspace', 'listWorkspaces', 'listAudit', 'verifyAudit'] as const),
    ...(['getSelf', 'createCaller', 'listCallers', 'rotateCaller', 'revokeCaller'] as const),
    ...(['createTrust', 'listTrusts', 'getTrust', 'revokeTrust'] as const),
  ]
  const others = (Object.keys(routes) as OperationName[]).filter(
    (name) => contract[name].permission !== 'public' && !own.includes(name),
  )
  let tenant: string
  let authorization: string
  beforeAll(async () => {
    tenant = await v.createWorkspace()
    await v.call('createConnection', { body: { ...example(), name: 'secret-1' } }, tenant)
    const { id, redirectedUrl } = await v.consent('secret-1', {}, tenant)
    await v.call('completeAuthorization', { params: { id }, body: { redirected_url: redirectedUrl } }, tenant)
    authorization = id
  })
  const bodies: Partial<Record<OperationName, object>> = {
    createConnection: { provider_url: 'https://p.example', client_id: 'c', client_secret: 's', name: 'secret-1' },
    startAuthorization: { scopes: ['openid'], redirect_uri: 'http://127.0.0.1:8080/callback' },
    completeAuthorization: { redirected_url: 'http://127.0.0.1:8080/callback?code=a&state=b' },
  }
  const send = (name: OperationName, params: { name: string; id: string }): Promise<Answer> => {
    const body = 'body' in contract[name] ? { body: bodies[name] ?? {} } : {}
    return v.send(routes[name][0], urlOf(name, params, {}), { key: operator, ...body })
  }

  test.each(others)('is refused by %s, whether what it asks for is there or not', async (name) => {
    const there = await send(name, { name: 'secret-1', id: authorization })
    const nowhere = await send(name, { name: 'secret-9', id: crypto.randomUUID() })
    expectProblem(there, 403, 'permission_denied')
    expect(withoutRequest(there)).toEqual(withoutRequest(nowhere))
  })

  test('sees and touches no caller of another workspace', async () => {
    const theirs = (await v.call('listCallers', {}, tenant)).body.callers
    const own = (await v.call('listCallers', {}, operator)).body.callers
    expect(own.length).toBeGreaterThan(0)
    const ids = new Set(own.map(({ id }: { id: string }) => id))
    for (const { id } of theirs) {
      expect(ids.has(id)).toBe(false)
      for (const operation of ['rotateCaller', 'revokeCaller'] as const) {
        const answer = await send(operation, { name: '', id })
        expectProblem(answer, 404, 'caller_not_found')
        const nowhere = await send(operation, { name: '', id: crypto.randomUUID() })
        expect(withoutRequest(answer)).toEqual(withoutRequest(nowhere))
      }
    }
    expect((await v.call('listConnections', {}, tenant)).status).toBe(200)
  })

  test('sees and touches no trust of another workspace', async () => {
    const trust = {
      name: 'theirs',
      issuer: 'https://issuer.example',
      audience: ['https://vault.example'],
      claims: [{ claim: 'sub', values: ['somebody'] }],
      permissions: ['token:read' as const],
    }
    expect((await v.call('createTrust', { body: trust }, tenant)).status).toBe(201)
    expect((await v.call('listTrusts', {}, operator)).body.trusts).toEqual([])
    for (const operation of ['getTrust', 'revokeTrust'] as const) {
      const answer = await send(operation, { name: 'theirs', id: '' })
      expectProblem(answer, 404, 'trust_not_found')
      expect(withoutRequest(answer)).toEqual(withoutRequest(await send(operation, { name: 'none', id: '' })))
    }
    expect((await v.call('getTrust', { params: { name: 'theirs' } }, tenant)).status).toBe(200)
  })

  test('reads no record of another workspace', async () => {
    const { records } = (await v.call('listAudit', { query: { limit: 1000 } }, operator)).body
    expect(records.length).toBeGreaterThan(0)
    const theirs = (await v.call('listAudit', { query: { limit: 1000 } }, tenant)).body.records
    expect(theirs.length).toBeGreaterThan(0)
    const ids = new Set(records.map(({ id }: { id: string }) => id))
    expect(theirs.filter(({ id }: { id: string }) => ids.has(id))).toEqual([])
  })

  test('makes others like it, and nobody who may do more', async () => {
    const wanted = (permissions: readonly string[]) =>
      v.call(
        'createCaller',
        { body: { name: `o-${permissions.join('.')}`.replaceAll(':', '-'), permissions } as never },
        operator,
      )
    const { status, body } = await wanted(['vault:operate'])
    expect(status).toBe(201)
    expect((await v.call('listWorkspaces', {}, body.api_key)).status).toBe(200)
    for (const permission of ['token:read', 'connection:read', 'workspace:admin', 'refresh_token:read']) {
      expectProblem(await wanted([permission]), 403, 'permission_denied')
    }
  })
})

function example() {
  const { client_id, client_secret } = v.sandbox.client
  return { provider_url: v.sandbox.issuer, client_id, client_secret }
}

/** What may differ between two answers that are to say the same: which request it was, and what was asked for. */
function withoutRequest({ status, body }: Answer) {
  const { request_id: _, detail, ...rest } = body
  return { status, ...rest, detail: String(detail).replace(/secret-\d|[0-9a-f-]{36}/g, 'X') }
}
