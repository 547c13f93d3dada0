import type { Fault } from '@authconn/sandbox'
import pg from 'pg'
import { afterEach, describe, expect, test } from 'vitest'
import { expectProblem, useVault } from '../support/vault.ts'

// Each misbehaviour by name, with what callers see while the token is valid, when it has ended, and afterwards.

const v = useVault()
afterEach(() => v.sandbox.faults.clear())

const token = (name: string, query: Record<string, unknown> = {}) =>
  v.call('getToken', { params: { name }, query })
const refreshes = () => v.sandbox.stats.tokenRequests.refresh_token ?? 0

/** As if so much of the token's hour had passed. */
async function leaveSeconds(name: string, seconds: number) {
  const client = new pg.Client({ connectionString: v.databaseUrl })
  await client.connect()
  await client.query(
    `update grants set expires_at = now() + make_interval(secs => $2), retry_at = null
     where connection_id in (select id from connections where name = $1)`,
    [name, seconds],
  )
  await client.end()
}

/** What it does, what the caller of an ended token is told, and whether the provider may have rotated. */
const troubles: [string, Fault, number, string, string][] = [
  ['is too slow', { kind: 'slow', delayMs: 2500 }, 503, 'provider_unavailable', 'passing'],
  ['hangs', { kind: 'hang' }, 503, 'provider_unavailable', 'passing'],
  ['resets the connection', { kind: 'reset' }, 503, 'provider_unavailable', 'passing'],
  [
    'answers 429',
    { kind: 'status', status: 429, headers: { 'retry-after': '30' } },
    503,
    'provider_unavailable',
    'passing',
  ],
  ['answers 500', { kind: 'status', status: 500 }, 503, 'provider_unavailable', 'passing'],
  [
    'answers 503 with an OAuth error',
    { kind: 'oauth_error', error: 'temporarily_unavailable' },
    503,
    'provider_unavailable',
    'passing',
  ],
  ['answers with HTML', { kind: 'html' }, 502, 'provider_answer_invalid', 'passing'],
  ['answers with truncated JSON', { kind: 'truncated_json' }, 502, 'provider_answer_invalid', 'passing'],
  ['redirects', { kind: 'redirect' }, 502, 'provider_answer_invalid', 'passing'],
  ['never ends its answer', { kind: 'huge' }, 502, 'provider_answer_invalid', 'passing'],
  [
    'answers 400 with an empty body',
    { kind: 'status', status: 400 },
    502,
    'provider_answer_invalid',
    'unrecognized',
  ],
  [
    'answers 403 with an invented code',
    { kind: 'oauth_error', error: 'go_away', status: 403 },
    502,
    'provider_answer_invalid',
    'unrecognized',
  ],
  [
    'answers 400 in text/plain',
    { kind: 'status', status: 400, body: 'no' },
    502,
    'provider_answer_invalid',
    'unrecognized',
  ],
  [
    'refuses the client',
    { kind: 'oauth_error', error: 'invalid_client' },
    422,
    'client_rejected',
    'configuration',
  ],
  [
    'does not let the client refresh',
    { kind: 'oauth_error', error: 'unauthorized_client' },
    422,
    'client_rejected',
    'configuration',
  ],
  [
    'refuses the client under status 200',
    { kind: 'error_in_200', error: 'invalid_client' },
    422,
    'client_rejected',
    'configuration',
  ],
]

describe.each(troubles)('a provider that %s', (_what, fault, status, code, failureClass) => {
  test(`while the token is valid: it is served, and the failure is shown as ${failureClass}`, async () => {
    const name = await v.createAuthorizedConnection()
    await leaveSeconds(name, 30)
    v.sandbox.faults.set('token', fault)
    const before = refreshes()
    for (let i = 0; i < 3; i++) expect((await token(name)).status).toBe(200)
    expect(refreshes()).toBe(before + 1)
    const { body } = await v.call('getConnection', { params: { name } })
    expect(body).toMatchObject({ status: 'active', failures: 1, last_error: { code, class: failureClass } })
    if (failureClass === 'configuration') expect(body.next_refresh_at).toBeNull()
    else expect(Date.parse(body.next_refresh_at)).toBeGreaterThan(Date.now())
  })

  test(`after its end: ${status} ${code}, with no second call, and recovery when it has passed`, async () => {
    const name = await v.createAuthorizedConnection()
    await leaveSeconds(name, -1)
    v.sandbox.faults.set('token', fault)
    const before = refreshes()
    for (let i = 0; i < 3; i++) {
      const answer = await token(name)
      expectProblem(answer, status, code)
      if (status === 503) expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
    }
    expect(refreshes()).toBe(before + 1)
    v.sandbox.faults.clear()
    if (failureClass === 'configuration') return
    await leaveSeconds(name, -1)
    // Truncated answers used the refresh token up unseen; of the others nothing was lost.
    const after = await token(name)
    if (fault.kind === 'truncated_json' || fault.kind === 'slow') expectProblem(after, 409, 'grant_expired')
    else expect(after.status, JSON.stringify(after.body)).toBe(200)
  })
})

test('a rotation whose answer was cut off is told as an interrupted refresh', async () => {
  const name = await v.createAuthorizedConnection()
  await leaveSeconds(name, -1)
  v.sandbox.faults.set('token', { kind: 'truncated_json' }, { times: 1 })
  expectProblem(await token(name), 502, 'provider_answer_invalid')
  await leaveSeconds(name, -1)
  const answer = await token(name)
  expectProblem(answer, 409, 'grant_expired')
  expect(answer.body.detail).toMatch(/Interrupted refresh/)
  const { body } = await v.call('listEvents', { params: { name } })
  expect(body.events).toMatchObject([
    { type: 'grant.expired', class: 'interrupted' },
    { type: 'grant.refresh_failed', class: 'passing', code: 'provider_answer_invalid' },
  ])
})

describe.each<[string, Fault]>([
  ['sends expires_in as a string', { kind: 'expires_in_string' }],
  ['sends no token_type', { kind: 'no_token_type' }],
  ['sends no expires_in', { kind: 'no_expires_in' }],
  ['sends a negative expires_in', { kind: 'expires_in_negative' }],
  ['sends an unknown token_type', { kind: 'odd_token_type' }],
  ['sends a form', { kind: 'form_encoded' }],
  ['sends null as refresh token', { kind: 'null_refresh_token' }],
  ['sends a number as refresh token', { kind: 'numeric_refresh_token' }],
])('a provider that %s', (_what, fault) => {
  test('the token is good and used', async () => {
    const name = await v.createAuthorizedConnection()
    await leaveSeconds(name, -1)
    v.sandbox.faults.set('token', fault)
    const answer = await token(name)
    expect(answer.status).toBe(200)
    const userinfo = await fetch(`${v.sandbox.issuer}/userinfo`, {
      headers: { authorization: `Bearer ${answer.body.access_token}` },
    })
    expect(userinfo.status).toBe(200)
  })
})

test('a rotated refresh token beside an access token that no header can carry is kept, and used next', async () => {
  const name = await v.createAuthorizedConnection()
  await leaveSeconds(name, -1)
  const { refreshTokenReplays } = v.sandbox.stats
  v.sandbox.faults.set('token', { kind: 'control_characters' }, { times: 1 })
  expectProblem(await token(name), 502, 'provider_answer_invalid')
  await leaveSeconds(name, -1)
  expect((await token(name)).status).toBe(200)
  expect(v.sandbox.stats.refreshTokenReplays).toBe(refreshTokenReplays)
})

test('an error under status 200 is an error', async () => {
  const name = await v.createAuthorizedConnection()
  await leaveSeconds(name, -1)
  v.sandbox.faults.set('token', { kind: 'error_in_200', error: 'invalid_grant', description: 'signed out' })
  const answer = await token(name)
  expectProblem(answer, 409, 'grant_expired')
  expect(answer.body.detail).toContain('signed out')
})
