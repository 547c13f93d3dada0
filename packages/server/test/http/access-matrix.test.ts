import { generateKeyPairSync } from 'node:crypto'
import { contract, type OperationName, type Permission, permissionNames, routes } from '@authconn/shared'
import { beforeAll, describe, expect, test } from 'vitest'
import { createApiKey } from '../../src/core/callers/api-key.ts'
import { urlOf } from '../support/url-of.ts'
import { type Answer, expectProblem, useVault } from '../support/vault.ts'

const robot = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const v = useVault({
  sandbox: {
    clients: [
      { client_id: 'app', client_secret: 'a-secret-0123456789-0123456789-0123' },
      {
        client_id: 'robot',
        client_secret: 'unused-secret-0123456789-0123456789',
        jwks: { keys: [robot.publicKey.export({ format: 'jwk' }) as { kty: string }] },
      },
    ],
  },
})
type Guarded = Exclude<
  OperationName,
  'getHealth' | 'getReadiness' | 'getSelf' | 'revokeSelf' | 'exchangeToken' | 'listLogins'
>
const guarded = (Object.keys(routes) as OperationName[]).filter(
  (name): name is Guarded => contract[name].permission !== 'public' && contract[name].permission !== 'any',
)

/** What an operation is about, and so what a key must be for besides holding the permission. */
const subjectMatter: Record<Guarded, Matter> = {
  listProviders: 'nothing in particular',
  createConnection: 'a new connection',
  listConnections: 'nothing in particular',
  getConnection: 'a connection',
  updateConnection: 'a connection with all subjects',
  deleteConnection: 'a connection with all subjects',
  listGrants: 'a connection',
  createGrant: 'a connection and a subject',
  listEvents: 'a connection and a subject',
  getToken: 'a connection and a subject',
  revokeGrant: 'a connection and a subject',
  startAuthorization: 'a connection and a subject',
  startDeviceAuthorization: 'a connection and a subject',
  getAuthorization: 'what another caller began',
  completeAuthorization: 'what another caller began',
  cancelAuthorization: 'what another caller began',
  createCaller: 'nothing in particular',
  listCallers: 'nothing in particular',
  rotateCaller: 'a caller',
  revokeCaller: 'a caller',
  createTrust: 'nothing in particular',
  listTrusts: 'nothing in particular',
  getTrust: 'a trust to look at',
  revokeTrust: 'a trust',
  listAudit: 'nothing in particular',
  verifyAudit: 'nothing in particular',
  createWorkspace: 'nothing in particular',
  listWorkspaces: 'nothing in particular',
}

type Matter =
  | 'nothing in particular'
  | 'a connection'
  | 'a connection and a subject'
  | 'a connection with all subjects'
  | 'a new connection'
  | 'what another caller began'
  | 'a caller'
  | 'a trust to look at'
  | 'a trust'

/** Everything that a key may be limited by, as far as it makes a difference here. */
const workspaces = ['own', 'other'] as const
const patterns = { matching: ['m-*'], elsewhere: ['n-*'] }
const subjects = { all: null, alice: ['alice'], bob: ['bob'] }
interface Limits {
  workspace: (typeof workspaces)[number]
  connections: keyof typeof patterns
  subjects: keyof typeof subjects
}
const allLimits: Limits[] = workspaces.flatMap((workspace) =>
  (['matching', 'elsewhere'] as const).flatMap((connections) =>
    (['all', 'alice', 'bob'] as const).map((each) => ({ workspace, connections, subjects: each })),
  ),
)

/**
 * What is to come of it. `denied`: 403, and the same for what is not there. `not found`: 404, likewise.
 * `denied openly`: of callers whoever manages callers sees all there are in the workspace, so there is nothing to hide.
 */
type Verdict = 'allowed' | 'denied' | 'denied openly' | 'not found'

function verdictOn(name: Guarded, permission: Permission, limits: Limits): Verdict {
  if (permission !== contract[name].permission) return 'denied'
  const matter = subjectMatter[name]
  const isElsewhere = limits.connections === 'elsewhere'
  const found = limits.workspace === 'own' ? 'allowed' : 'not found'
  switch (matter) {
    case 'nothing in particular':
      return 'allowed'
    case 'a new connection':
      return isElsewhere ? 'denied' : 'allowed'
    case 'a connection':
      return isElsewhere ? 'denied' : found
    case 'a connection and a subject':
      return isElsewhere || limits.subjects === 'bob' ? 'denied' : found
    case 'a connection with all subjects':
      return isElsewhere || limits.subjects !== 'all' ? 'denied' : found
    case 'what another caller began':
      return 'not found'
    case 'a trust to look at':
      return found
    case 'a caller':
    case 'a trust':
      if (limits.workspace === 'other') return 'not found'
      return isElsewhere || limits.subjects === 'bob' ? 'denied openly' : 'allowed'
  }
}

describe('the access matrix', () => {
  /** By permission and limits: a key that holds just that. */
  const keys = new Map<string, string>()
  const keyOf = (permission: Permission, limits: Limits) => {
    const key = keys.get(JSON.stringify([permission, limits]))
    if (key === undefined) throw new Error('no such key')
    return key
  }
  /** What is there as well, and nobody asks for by its name: nobody should learn of it to whom it is not open. */
  const unasked = 'm-unasked'
  /** What is there, in the own workspace. */
  const there = { name: 'm-there', id: '' }
  /** A service account, which needs nobody's consent. */
  const service = 'm-there-service'
  const ids = { authorization: '', caller: '' }

  beforeAll(async () => {
    const makers = { own: v.adminKey, other: await v.createWorkspace() }
    const operator = await v.createOperator()
    for (const permission of permissionNames) {
      for (const limits of allLimits) {
        // Whoever may see beyond a workspace is made by an operator, whose own workspace is another one, too.
        const beyond = permission === 'vault:operate' || permission === 'metrics:read'
        const body = {
          name: `k-${keys.size}`,
          permissions: [permission],
          connections: patterns[limits.connections],
          subjects: subjects[limits.subjects],
        }
        const answer = await v.call('createCaller', { body }, beyond ? operator : makers[limits.workspace])
        if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
        keys.set(JSON.stringify([permission, limits]), answer.body.api_key)
      }
    }
    await v.createConnection({ name: unasked })
    await v.createConnection({ name: there.name })
    await makeTrust(there.name)
    await v.authorize(there.name, { subject: 'alice' })
    await v.createConnection({
      name: service,
      client_id: 'robot',
      client_secret: undefined,
      client_key: { private_key: robot.privateKey.export({ type: 'pkcs8', format: 'pem' }) },
      grant_type: 'jwt_bearer',
    })
    ids.authorization = await begin()
    ids.caller = await makeCaller()
  })

  async function begin(): Promise<string> {
    const redirect_uri = 'http://127.0.0.1:8080/callback'
    const body = { scopes: ['openid'], redirect_uri, subject: 'alice' }
    return (await v.call('startAuthorization', { params: { name: there.name }, body })).body.id
  }

  /** One that every key covers which manages callers, matches and is for Alice. */
  async function makeCaller(): Promise<string> {
    const body = {
      name: `c-${crypto.randomUUID()}`,
      permissions: ['caller:manage' as const],
      connections: [there.name],
      subjects: ['alice'],
    }
    return (await v.call('createCaller', { body })).body.id
  }

  /** The same of a trust. */
  async function makeTrust(name: string): Promise<string> {
    const answer = await v.call('createTrust', {
      body: { ...trustBody(name), connections: [there.name], subjects: ['alice'] },
    })
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
    return name
  }

  /** For what would be gone after the first time. */
  async function freshTarget(name: Guarded): Promise<Target> {
    const fresh = `m-${crypto.randomUUID()}`
    if (name === 'createConnection') return { name: fresh, id: '' }
    if (name === 'deleteConnection') return { name: await v.createConnection({ name: fresh }), id: '' }
    if (name === 'revokeGrant') {
      await v.createConnection({ name: fresh })
      await v.authorize(fresh, { subject: 'alice' })
      return { name: fresh, id: '' }
    }
    if (name === 'revokeTrust') return { name: await makeTrust(fresh), id: '' }
    if (name === 'revokeCaller') return { name: '', id: await makeCaller() }
    return existing(name)
  }

  function existing(name: Guarded): Target {
    if (name === 'createGrant') return { name: service, id: '' }
    return { name: there.name, id: subjectMatter[name] === 'a caller' ? ids.caller : ids.authorization }
  }

  const missing = (): Target => ({ name: `m-${crypto.randomUUID()}`, id: crypto.randomUUID() })

  describe.each(guarded)('%s', (name) => {
    test('refuses a request without a key, or with one that is none', async () => {
      expectProblem(await send(name, existing(name), null), 401, 'unauthenticated')
      expectProblem(await send(name, existing(name), 'nonsense'), 401, 'invalid_api_key')
      expectProblem(await send(name, existing(name), createApiKey().reveal()), 401, 'invalid_api_key')
    })

    test('refuses a key that holds every permission but its own', async () => {
      // Operators hold none of the others; that they are refused everywhere else is below.
      const permissions = permissionNames.filter(
        (permission) => permission !== contract[name].permission && permission !== 'vault:operate',
      )
      const key = await v.createCaller({ permissions })
      expectProblem(await send(name, existing(name), key), 403, 'permission_denied')
    })

    test.each(permissionNames)('for %s alone, with all limits', async (permission) => {
      await Promise.all(allLimits.map((limits) => judge(name, permission, limits)))
    })
  })

  async function judge(name: Guarded, permission: Permission, limits: Limits): Promise<void> {
    const key = keyOf(permission, limits)
    const verdict = verdictOn(name, permission, limits)
    const what = JSON.stringify({ name, permission, limits, verdict })
    const target = verdict === 'allowed' ? await freshTarget(name) : existing(name)
    const answer = await send(name, target, key)
    const status = { allowed: contract[name].success.status, 'not found': 404 }
    const expected = verdict in status ? status[verdict as keyof typeof status] : 403
    expect(answer.status, `${what} ${JSON.stringify(answer.body)}`).toBe(expected)
    if (verdict === 'denied' || verdict === 'not found') {
      expect(asSaid(answer), what).toEqual(asSaid(await send(name, missing(), key)))
    }
    const mayKnow = limits.workspace === 'own' && limits.connections === 'matching'
    if (!mayKnow) expect(JSON.stringify(answer.body), what).not.toContain(unasked)
  }

  test.each(permissionNames)('tells every key what it is: one that holds %s alone', async (permission) => {
    for (const limits of allLimits) {
      const { status, body } = await v.call('getSelf', {}, keyOf(permission, limits))
      expect({ status, body }).toMatchObject({ status: 200, body: { permissions: [permission] } })
      expect(body.connections).toEqual(patterns[limits.connections])
    }
  })

  test('tells a request without a key, or with one that is none, nothing of itself', async () => {
    expectProblem(await v.send('GET', '/v1/self', { key: null }), 401, 'unauthenticated')
    expectProblem(await v.send('GET', '/v1/self', { key: createApiKey().reveal() }), 401, 'invalid_api_key')
  })

  test('shows to those to whom it is open what it hides from others', async () => {
    const limits: Limits = { workspace: 'own', connections: 'matching', subjects: 'all' }
    const listed = await send('listConnections', missing(), keyOf('connection:read', limits))
    expect(JSON.stringify(listed.body)).toContain(unasked)
    const query = { connection: unasked }
    const recorded = await v.call('listAudit', { query }, keyOf('audit:read', limits))
    expect(JSON.stringify(recorded.body)).toContain(unasked)
  })

  test('leaves what it was refused as it was', async () => {
    const token = await v.call('getToken', { params: { name: there.name }, query: { subject: 'bob' } })
    expectProblem(token, 409, 'grant_pending')
    expect((await v.call('getConnection', { params: { name: there.name } })).status).toBe(200)
    const authorization = await v.call('getAuthorization', { params: { id: ids.authorization } })
    expect(authorization.body.status).toBe('pending')
    const { callers } = (await v.call('listCallers', { query: { limit: 1000 } })).body
    expect(callers.find(({ id }: { id: string }) => id === ids.caller)).toBeDefined()
  })
})

interface Target {
  name: string
  id: string
}

async function send(name: Guarded, target: Target, key: string | null): Promise<Answer> {
  const { query, body } = requestOf(name, target)
  return v.send(routes[name][0], urlOf(name, { ...target }, query ?? {}), { key, ...(body ? { body } : {}) })
}

/** A request of each operation that works for whoever may do all. */
function requestOf(name: Guarded, target: Target): { query?: Record<string, string>; body?: object } {
  const { client_id, client_secret } = v.sandbox.client
  const redirect_uri = 'http://127.0.0.1:8080/callback'
  switch (name) {
    case 'createConnection':
      return { body: { name: target.name, provider_url: v.sandbox.issuer, client_id, client_secret } }
    case 'updateConnection':
      return { body: { client_secret } }
    case 'listEvents':
    case 'getToken':
      return { query: { subject: 'alice' } }
    case 'revokeGrant':
      return { body: { subject: 'alice' } }
    case 'createGrant':
      return { body: { subject: 'alice' } }
    case 'startDeviceAuthorization':
      return { body: { scopes: ['openid'], subject: 'alice' } }
    case 'startAuthorization':
      return { body: { scopes: ['openid'], redirect_uri, subject: 'alice' } }
    case 'completeAuthorization':
      return { body: { redirected_url: `${redirect_uri}?code=a&state=b` } }
    case 'createCaller':
      return { body: { name: `n-${crypto.randomUUID()}`, permissions: ['caller:manage'] } }
    case 'createTrust': {
      return { body: trustBody(`t-${crypto.randomUUID()}`) }
    }
    case 'createWorkspace':
      return { body: { name: `w-${crypto.randomUUID()}` } }
    case 'rotateCaller':
    case 'verifyAudit':
      return { body: {} }
    default:
      return {}
  }
}

function trustBody(name: string) {
  return {
    name,
    issuer: 'https://issuer.example',
    audience: ['https://vault.example'],
    claims: [{ claim: 'sub', values: ['somebody'] }],
    permissions: ['caller:manage' as const],
  }
}

/** An answer without what tells which request it was, and what was asked for. */
function asSaid({ status, headers, body }: Answer) {
  const { request_id: _, detail, ...rest } = body
  const words = String(detail).replace(
    /m-there-service|m-there|(m-)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g,
    'TARGET',
  )
  const told = Object.keys(headers).filter(
    (header) => !['content-length', 'x-request-id', 'date'].includes(header),
  )
  return { status, headers: told.sort(), ...rest, detail: words }
}

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
