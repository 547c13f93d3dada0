import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { expectProblem, useVault } from '../support/vault.ts'

const v = useVault({ environment: { AUTHCONN_RATE_LIMIT: '20' } })

// No window ends while a test runs, unless the test says so.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

async function askOften(key: string, times: number) {
  const answers = []
  for (let at = 0; at < times; at++) answers.push(await v.call('listConnections', {}, key))
  return answers
}

test('answers 429 with Retry-After and the fields of the draft once a caller is over its limit', async () => {
  const key = await v.createCaller({ permissions: ['connection:read'] })
  const answers = await askOften(key, 21)
  expect(answers.slice(0, 20).every(({ status }) => status === 200)).toBe(true)
  expect(answers[0]?.headers['ratelimit-policy']).toBe('"caller";q=20;w=10')
  expect(answers[0]?.headers.ratelimit).toMatch(/^"caller";r=19;t=\d+$/)

  const refused = answers[20]
  if (!refused) throw new Error('there is no answer')
  expectProblem(refused, 429, 'too_many_requests')
  const seconds = Number(refused.headers['retry-after'])
  expect(seconds).toBeGreaterThan(0)
  expect(seconds).toBeLessThanOrEqual(10)
  expect(refused.headers['ratelimit-policy']).toBe('"caller";q=20;w=10')
  expect(refused.headers.ratelimit).toBe(`"caller";r=0;t=${seconds}`)

  vi.setSystemTime(Date.now() + 1000 * seconds)
  expect((await v.call('listConnections', {}, key)).status).toBe(200)
})

test('limits each caller by itself, and nobody by where it comes from', async () => {
  const [first, second] = [
    await v.createCaller({ permissions: ['connection:read'] }),
    await v.createCaller({ permissions: ['connection:read'] }),
  ]
  await askOften(first, 20)
  expectProblem(await v.call('listConnections', {}, first), 429, 'too_many_requests')
  expect((await v.call('listConnections', {}, second)).status).toBe(200)
})

test('limits token fetches and /metrics as everything that asks for a key', async () => {
  const key = await v.createCaller({ permissions: ['token:read', 'metrics:read'] })
  const name = await v.createAuthorizedConnection()
  const fetched = await v.call('getToken', { params: { name } }, key)
  expect(fetched.status).toBe(200)
  expect(fetched.headers.ratelimit).toMatch(/^"caller";r=19;/)
  const head = await v.vault.app.inject({
    method: 'HEAD',
    url: '/v1/connections',
    headers: { authorization: `Bearer ${key}` },
  })
  expect(head.headers.ratelimit).toMatch(/^"caller";r=18;/)
  for (let at = 0; at < 18; at++) expect((await v.send('GET', '/metrics', { key })).status).toBe(200)
  expectProblem(await v.send('GET', '/metrics', { key }), 429, 'too_many_requests')
  expectProblem(await v.call('getToken', { params: { name } }, key), 429, 'too_many_requests')
})

test('does not limit what asks for no key', async () => {
  const key = await v.createCaller({ permissions: ['connection:read'] })
  await askOften(key, 21)
  for (const path of ['/healthz', '/readyz', '/docs', '/openapi.json', '/nothing']) {
    const answers = []
    for (let at = 0; at < 30; at++) answers.push(await v.send('GET', path, { key }))
    expect(answers.filter(({ status }) => status === 429)).toEqual([])
    expect(answers[0]?.headers.ratelimit).toBeUndefined()
  }
})

test('counts what it refused', async () => {
  const key = await v.createCaller({ permissions: ['connection:read'] })
  await askOften(key, 21)
  const { body } = await v.send('GET', '/metrics')
  expect(Number(/authconn_rate_limited_total\{limit="caller"\} (\d+)/.exec(body)?.[1])).toBeGreaterThan(0)
})
