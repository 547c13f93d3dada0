import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createApiKey } from '../../src/core/callers/api-key.ts'
import { expectProblem, useVault } from '../support/vault.ts'

// Behind a proxy at the address that the tests come from, so that each test can come from an address of its own.
const v = useVault({
  environment: { AUTHCONN_AUTH_FAILURE_LIMIT: '5', AUTHCONN_TRUSTED_PROXIES: '127.0.0.1, 10.1.0.0/16' },
})

// No window ends while a test runs, unless the test says so.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const fresh = () => createApiKey().reveal()

const ask = (key: string | null, address: string, path = '/v1/connections') =>
  v.send('GET', path, { key, headers: { 'x-forwarded-for': address } })

async function fail(address: string, times: number) {
  const answers = []
  for (let at = 0; at < times; at++) answers.push(await ask(fresh(), address))
  return answers
}

/** The statements by which API keys are looked up, from now on. */
function watchLookups(): string[] {
  const seen: string[] = []
  const query = pg.Client.prototype.query
  vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: pg.Client, ...given: unknown[]) {
    const [statement] = given as [string | { text: string }]
    const text = typeof statement === 'string' ? statement : statement.text
    if (/key_hash/.test(text)) seen.push(text)
    return Reflect.apply(query, this, given)
  })
  return seen
}

test('an address is refused after its failures, and costs the database no look-up from then on', async () => {
  const lookups = watchLookups()
  const failures = await fail('192.0.2.1', 5)
  for (const answer of failures) expectProblem(answer, 401, 'invalid_api_key')
  expect(lookups.length).toBeGreaterThanOrEqual(5)

  lookups.length = 0
  const answers = await Promise.all([
    ...Array.from({ length: 200 }, () => ask(fresh(), '192.0.2.1')),
    ask(fresh(), '192.0.2.1', '/v1/connections/x/token'),
    ask('no key at all', '192.0.2.1'),
    ask(fresh(), '192.0.2.1', '/metrics'),
  ])
  for (const answer of answers) expectProblem(answer, 429, 'too_many_requests')
  expect(lookups).toEqual([])
  const [first] = answers
  expect(Number(first?.headers['retry-after'])).toBeGreaterThan(0)
  expect(Number(first?.headers['retry-after'])).toBeLessThanOrEqual(60)
  expect(first?.headers['ratelimit-policy']).toBe('"address";q=5;w=60')
  expect(first?.headers.ratelimit).toMatch(/^"address";r=0;t=\d+$/)
  expect(first?.body.detail).toMatch(/API keys or tokens that are not valid/)
})

test('the address is let in again when the minute is over', async () => {
  await fail('192.0.2.12', 5)
  const refused = await ask(fresh(), '192.0.2.12')
  vi.setSystemTime(Date.now() + 1000 * Number(refused.headers['retry-after']))
  expectProblem(await ask(fresh(), '192.0.2.12'), 401, 'invalid_api_key')
})

test('who is refused waits for it, so that asking again at once does not go fast', async () => {
  await fail('192.0.2.14', 5)
  const before = performance.now()
  expectProblem(await ask(fresh(), '192.0.2.14'), 429, 'too_many_requests')
  expect(performance.now() - before).toBeGreaterThan(150)
})

test('refusals that wait are not kept in any number', async () => {
  await fail('192.0.2.15', 5)
  const before = performance.now()
  const waited = await Promise.all(
    Array.from({ length: 1100 }, async () => {
      expectProblem(await ask(fresh(), '192.0.2.15'), 429, 'too_many_requests')
      return performance.now() - before
    }),
  )
  expect(waited.some((ms) => ms < Math.max(...waited) - 100)).toBe(true)
})

test('the failures of a token fetch count as all others', async () => {
  for (let at = 0; at < 5; at++) {
    expectProblem(await ask(fresh(), '192.0.2.2', '/v1/connections/x/token'), 401, 'invalid_api_key')
  }
  expectProblem(await ask(fresh(), '192.0.2.2'), 429, 'too_many_requests')
})

test('security 26: tokens of other platforms that are refused count as keys do, whatever key comes with them', async () => {
  const exchange = (key: string | null) =>
    v.send('POST', '/v1/identity/token', {
      key,
      headers: { 'x-forwarded-for': '192.0.2.16' },
      body: {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: 'a.b.c',
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      },
    })
  const refused = await Promise.all(Array.from({ length: 5 }, () => exchange(null)))
  for (const answer of refused) expectProblem(answer, 401, 'identity_refused')
  expectProblem(await exchange(null), 429, 'too_many_requests')
  expect((await ask(v.adminKey, '192.0.2.17')).status).toBe(200)
  expectProblem(await exchange(v.adminKey), 429, 'too_many_requests')
  expectProblem(await ask(fresh(), '192.0.2.16'), 429, 'too_many_requests')
})

test('a mistyped key counts as well, and no key at all does not', async () => {
  for (let at = 0; at < 10; at++) expectProblem(await ask(null, '192.0.2.3'), 401, 'unauthenticated')
  for (let at = 0; at < 5; at++) expectProblem(await ask('ack_mistyped', '192.0.2.3'), 401, 'invalid_api_key')
  expectProblem(await ask(fresh(), '192.0.2.3'), 429, 'too_many_requests')
})

test('successes and denials do not count', async () => {
  const key = await v.createCaller({ permissions: ['token:read'] })
  for (let at = 0; at < 20; at++) {
    expect((await ask(v.adminKey, '192.0.2.4')).status).toBe(200)
    expectProblem(await ask(key, '192.0.2.4'), 403, 'permission_denied')
  }
})

test('other addresses are served as before', async () => {
  await fail('192.0.2.5', 6)
  expect((await ask(v.adminKey, '192.0.2.6')).status).toBe(200)
  expectProblem(await ask(fresh(), '192.0.2.6'), 401, 'invalid_api_key')
})

test('a key that was good a while ago goes on working from an address that is refused', async () => {
  const key = await v.createCaller({ permissions: ['connection:read'] })
  const [known, unknown] = [key, await v.createCaller({ permissions: ['connection:read'] })]
  expect((await ask(known, '192.0.2.7')).status).toBe(200)
  await fail('192.0.2.7', 5)
  expect((await ask(known, '192.0.2.7')).status).toBe(200)
  expectProblem(await ask(unknown, '192.0.2.7'), 429, 'too_many_requests')
})

test('until it is revoked', async () => {
  const made = await v.call('createCaller', { body: { name: 'for-a-while', permissions: ['connection:read'] } })
  const key = made.body.api_key
  expect((await ask(key, '192.0.2.8')).status).toBe(200)
  await fail('192.0.2.8', 5)
  await v.call('revokeCaller', { params: { id: made.body.id } })
  expectProblem(await ask(key, '192.0.2.8'), 401, 'invalid_api_key')
  expectProblem(await ask(key, '192.0.2.8'), 429, 'too_many_requests')
})

test('an IPv6 network of one subscriber counts as one address', async () => {
  for (let at = 0; at < 5; at++) await ask(fresh(), `2001:db8:1:2:${at}::${at}`)
  expectProblem(await ask(fresh(), '2001:db8:1:2:ffff::1'), 429, 'too_many_requests')
  expectProblem(await ask(fresh(), '2001:db8:1:3::1'), 401, 'invalid_api_key')
})

test('health checks answer an address that is refused', async () => {
  await fail('192.0.2.9', 6)
  expect((await ask(null, '192.0.2.9', '/healthz')).status).toBe(200)
  expect((await ask(null, '192.0.2.9', '/readyz')).status).toBe(200)
})

test('counts what it refused', async () => {
  await fail('192.0.2.10', 8)
  const { body } = await v.send('GET', '/metrics')
  expect(Number(/authconn_rate_limited_total\{limit="address"\} (\d+)/.exec(body)?.[1])).toBeGreaterThanOrEqual(3)
  expect(Number(/authconn_denials_total\{code="invalid_api_key"\} (\d+)/.exec(body)?.[1])).toBeGreaterThanOrEqual(
    5,
  )
  expect(body).not.toContain('192.0.2')
})

describe('X-Forwarded-For', () => {
  test('is followed back through the trusted proxies, and no further', async () => {
    // What the client itself put in front says nothing: the last proxy that is trusted says who it was.
    for (let at = 0; at < 5; at++) await ask(fresh(), `198.51.100.${at}, 192.0.2.11, 10.1.2.3`)
    expectProblem(await ask(fresh(), '198.51.100.99, 192.0.2.11, 10.1.9.9'), 429, 'too_many_requests')
    expectProblem(await ask(fresh(), '192.0.2.11, 192.0.2.13'), 401, 'invalid_api_key')
  })

  test('that holds no address counts together with all of its kind', async () => {
    for (let at = 0; at < 5; at++) await ask(fresh(), `garbage-${at}`)
    expectProblem(await ask(fresh(), 'more garbage'), 429, 'too_many_requests')
  })
})
