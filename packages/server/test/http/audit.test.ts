import pg from 'pg'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { expectProblem, useVault } from '../support/vault.ts'

const v = useVault()
afterEach(() => v.sandbox.faults.clear())

const records = async (query: Record<string, unknown> = {}, key?: string) =>
  (await v.call('listAudit', { query }, key)).body.records
const ofRequest = async (requestId: string) =>
  (await records()).filter((record: { request_id: string }) => record.request_id === requestId)

/** Sends with an id of its own, by which its records are found. */
async function traced(method: string, url: string, options: { key?: string | null; body?: unknown } = {}) {
  const requestId = `test-${crypto.randomUUID()}`
  const answer = await v.send(method, url, { ...options, headers: { 'x-request-id': requestId } })
  return { answer, told: await ofRequest(requestId) }
}

async function query(statement: string) {
  const client = new pg.Client({ connectionString: v.databaseUrl })
  await client.connect()
  const result = await client.query(statement)
  await client.end()
  return result.rows
}

describe('on record is', () => {
  test('a token that was handed out: who, which, whose, from where, and never the token', async () => {
    const name = await v.createConnection()
    await v.authorize(name, { subject: 'alice' })
    const { answer, told } = await traced('GET', `/v1/connections/${name}/token?subject=alice`)
    expect(answer.status).toBe(200)
    expect(told).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}:\d+$/),
        at: expect.any(String),
        actor: expect.any(String),
        actor_name: 'admin',
        action: 'getToken',
        connection: name,
        target: null,
        subject: 'alice',
        outcome: 'allowed',
        reason: null,
        address: '127.0.0.1',
        detail: null,
        request_id: expect.any(String),
      },
    ])
    expect(JSON.stringify(told)).not.toContain(answer.body.access_token)
  })

  test('each step of an authorization, with the connection and the subject that it is for', async () => {
    const name = await v.createConnection()
    const { id, redirectedUrl } = await v.consent(name, { subject: 'alice' })
    const url = `/v1/authorizations/${id}`
    const about = { connection: name, subject: 'alice', target: id }
    expect((await traced('GET', url)).told).toMatchObject([{ action: 'getAuthorization', ...about }])
    const completion = await traced('POST', `${url}/complete`, { body: { redirected_url: redirectedUrl } })
    expect(completion.told).toMatchObject([{ action: 'completeAuthorization', outcome: 'allowed', ...about }])
    const again = await traced('POST', `${url}/complete`, { body: { redirected_url: redirectedUrl } })
    expect(again.told.map(({ outcome }: { outcome: string }) => outcome).sort()).toEqual(['allowed', 'failed'])
    expect(again.told).toMatchObject([about, about])
  })

  test('an authorization of somebody else as one that is unknown', async () => {
    const { id } = await v.consent(await v.createConnection())
    const other = await v.createCaller({ permissions: ['connection:authorize'], connections: ['*'] })
    const { told } = await traced('GET', `/v1/authorizations/${id}`, { key: other })
    expect(told.map(({ connection, target }: Record<string, unknown>) => [connection, target])).toEqual(
      told.map(() => [null, id]),
    )
    expect(told.length).toBeGreaterThan(0)
  })

  test('a token that was refreshed first, when it is handed out, and one that could not be', async () => {
    const name = await v.createAuthorizedConnection()
    const forced = `/v1/connections/${name}/token?force_refresh=true`
    expect((await traced('GET', forced)).told).toMatchObject([{ outcome: 'allowed' }])
    v.sandbox.faults.set('token', { kind: 'oauth_error', error: 'invalid_grant' })
    const other = await v.createConnection()
    v.sandbox.faults.clear()
    await v.authorize(other)
    v.sandbox.faults.set('token', { kind: 'oauth_error', error: 'invalid_grant' })
    expect((await traced('GET', `/v1/connections/${other}/token?force_refresh=true`)).told).toMatchObject([
      { outcome: 'failed', reason: 'grant_expired' },
    ])
  })

  test.each([
    ['a fetch by a key without the permission', 'GET', '/v1/connections/some/token', 'getToken'],
    ['a look at a connection by a key without the permission', 'GET', '/v1/connections/some', 'getConnection'],
    ['an attempt to delete one', 'DELETE', '/v1/connections/some', 'deleteConnection'],
  ])('%s', async (_what, method, url, action) => {
    const key = await v.createCaller({ name: `limited-${crypto.randomUUID()}`, permissions: ['audit:read'] })
    const { answer, told } = await traced(method, url, { key })
    expectProblem(answer, 403, 'permission_denied')
    expect(told).toMatchObject([{ action, outcome: 'denied', reason: 'permission_denied', connection: 'some' }])
  })

  test('a key that is none, without a word of it, for the operator of the whole vault', async () => {
    const { createApiKey } = await import('../../src/core/callers/api-key.ts')
    const key = createApiKey().reveal()
    for (const url of ['/v1/connections/some/token', '/v1/connections']) {
      const answer = await v.send('GET', url, { key, headers: { 'x-request-id': 'a-key-that-is-none' } })
      expectProblem(answer, 401, 'invalid_api_key')
    }
    const rows = await query(`select * from audit_log where request_id = 'a-key-that-is-none'`)
    expect(rows).toHaveLength(2)
    for (const row of rows) {
      expect(row).toMatchObject({ workspace_id: null, actor: null, connection: null, outcome: 'denied' })
    }
    expect(JSON.stringify(rows)).not.toContain(key)
  })

  test('what is managed, before it is done, and what came to nothing', async () => {
    const { client_id, client_secret } = v.sandbox.client
    const body = { name: 'audited', provider_url: v.sandbox.issuer, client_id, client_secret }
    expect((await traced('POST', '/v1/connections', { body })).told).toMatchObject([
      { action: 'createConnection', connection: 'audited', outcome: 'allowed' },
    ])
    const again = await traced('POST', '/v1/connections', { body })
    expectProblem(again.answer, 409, 'connection_exists')
    expect(again.told).toMatchObject([
      { outcome: 'failed', reason: 'connection_exists' },
      { outcome: 'allowed', reason: null },
    ])
    expect(JSON.stringify(again.told)).not.toContain(client_secret)
  })

  test('who was made a caller, and given a new key', async () => {
    const made = await traced('POST', '/v1/callers', { body: { name: 'audited-ci', permissions: ['token:read'] } })
    expect(made.told).toMatchObject([{ action: 'createCaller', target: 'audited-ci', connection: null }])
    const { id } = made.answer.body
    const rotated = await traced('POST', `/v1/callers/${id}/rotate`, { body: {} })
    expect(rotated.told).toMatchObject([{ action: 'rotateCaller', target: id }])
    expect(JSON.stringify(rotated.told)).not.toContain(rotated.answer.body.api_key)
  })

  test('a refusal once, and not as if it had been allowed first', async () => {
    const key = await v.createCaller({ permissions: ['connection:read', 'audit:read'], connections: ['mine-*'] })
    const { answer, told } = await traced('GET', '/v1/connections/not-mine', { key })
    expectProblem(answer, 403, 'permission_denied')
    expect(told).toMatchObject([{ outcome: 'denied', connection: 'not-mine' }])
  })

  test('that somebody may not read the metrics, with whose key', async () => {
    const key = await v.createCaller({ name: 'no-metrics', permissions: ['token:read'] })
    const { told } = await traced('GET', '/metrics', { key })
    expect(told).toMatchObject([{ action: 'getMetrics', actor_name: 'no-metrics', outcome: 'denied' }])
  })

  test('nothing of what is no name, which could hold anything', async () => {
    const key = await v.createCaller({ permissions: ['audit:read'] })
    const requestId = 'a-secret-in-the-path'
    const headers = { 'x-request-id': requestId }
    await v.send('DELETE', '/v1/connections/ack_SECRET%00', { key, headers })
    expect(await query(`select connection from audit_log where request_id = '${requestId}'`)).toEqual([
      { connection: null },
    ])
  })
})

test('is listed newest first, in pages and by what is asked for', async () => {
  const name = await v.createAuthorizedConnection()
  for (let i = 0; i < 5; i++) await v.call('getToken', { params: { name } })
  const asked = { connection: name, outcome: 'allowed' as const, caller: 'admin' }
  const all = await records(asked)
  const first = await v.call('listAudit', { query: { ...asked, limit: 3 } })
  const second = await v.call('listAudit', { query: { ...asked, limit: 100, after: first.body.next } })
  expect([...first.body.records, ...second.body.records]).toEqual(all)
  expect(all.map(({ action }: { action: string }) => action).slice(0, 5)).toEqual(Array(5).fill('getToken'))
  const future = new Date(Date.now() + 60_000).toISOString()
  expect(await records({ since: future })).toEqual([])
  expectProblem(await v.call('listAudit', { query: { since: 'yesterday' } }), 400, 'invalid_request')
  for (const leap of ['2029-12-31T23:59:60Z', '2029-12-31t23:59:60.5z']) {
    expectProblem(await v.call('listAudit', { query: { since: leap } }), 400, 'invalid_request')
    expectProblem(await v.call('listAudit', { query: { until: leap } }), 400, 'invalid_request')
  }
})

test('shows a limited caller what concerns its connections and what it did itself', async () => {
  const name = await v.createConnection({ name: 'mine-1' })
  await v.authorize(name)
  const key = await v.createCaller({ permissions: ['audit:read', 'token:read'], connections: ['mine-*'] })
  await v.call('getToken', { params: { name } })
  await v.call('getToken', { params: { name: 'not-mine' } }, key)
  const seen = await records({}, key)
  const names = new Set(seen.map(({ connection }: { connection: string | null }) => connection))
  expect(names).toContain('mine-1')
  expect(names).toContain('not-mine')
  expect(names).not.toContain('audited')
})

test('is verified over the API, and a record that was deleted is missed', async () => {
  await v.call('listConnections')
  const first = await v.call('verifyAudit', { body: {} })
  expect(first.body).toMatchObject({ intact: true, problems: [] })
  expect(first.body.records).toBeGreaterThan(0)
  expect((await v.call('verifyAudit', { body: { head: first.body.head } })).body.intact).toBe(true)
  expect((await v.call('verifyAudit', { body: { head: `1:${'0'.repeat(64)}` } })).body.intact).toBe(false)
  expectProblem(await v.call('verifyAudit', { body: { head: 'x' } }), 400, 'invalid_request')

  const [row] = await query(`select stream, number from audit_log order by at desc limit 1`)
  await query(`delete from audit_log where stream = '${row.stream}' and number = ${row.number}`)
  const { intact, problems } = (await v.call('verifyAudit', { body: {} })).body
  expect(intact).toBe(false)
  expect(problems[0].record).toContain(row.stream)
})

test('a token that is damaged in the database is refused, clearly and on record', async () => {
  const name = await v.createAuthorizedConnection()
  await v.damage(name)
  const { answer, told } = await traced('GET', `/v1/connections/${name}/token`)
  expectProblem(answer, 500, 'sealed_value_damaged')
  // That it was asked for is on record before anything is said.
  expect(told).toMatchObject([
    { action: 'getToken', connection: name, outcome: 'failed', reason: 'sealed_value_damaged' },
    { action: 'getToken', connection: name, outcome: 'allowed' },
  ])
})

describe('without a record', () => {
  async function breakAudit() {
    await query(`create or replace function refuse() returns trigger language plpgsql as $$
      begin raise exception 'no space left'; end $$`)
    await query(`create trigger refuse before insert on audit_log for each row execute function refuse()`)
    const mend = () => query('drop trigger if exists refuse on audit_log')
    onTestFinished(async () => void (await mend()))
    return mend
  }

  test('no token leaves, nothing is done, and it recovers without a restart', async () => {
    const name = await v.createAuthorizedConnection()
    const mend = await breakAudit()
    const answers = await Promise.all(Array.from({ length: 20 }, () => v.call('getToken', { params: { name } })))
    for (const answer of answers) {
      expectProblem(answer, 503, 'audit_unavailable')
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
      expect(JSON.stringify(answer.body)).not.toMatch(/access_token|no space left/)
    }
    expectProblem(
      await v.call('getToken', { params: { name }, query: { force_refresh: true } }),
      503,
      'audit_unavailable',
    )
    expectProblem(await v.call('deleteConnection', { params: { name } }), 503, 'audit_unavailable')
    await mend()
    expect((await v.call('getConnection', { params: { name } })).status).toBe(200)
    expect((await v.call('getToken', { params: { name } })).status).toBe(200)
  })

  test('a refusal is still a refusal', async () => {
    await breakAudit()
    const { createApiKey } = await import('../../src/core/callers/api-key.ts')
    const key = createApiKey().reveal()
    expectProblem(await v.send('GET', '/v1/connections', { key }), 401, 'invalid_api_key')
  })
})
