import { once } from 'node:events'
import { connect } from 'node:net'
import { beforeAll, expect, test, vi } from 'vitest'
import { createApiKey } from '../../src/core/callers/api-key.ts'
import { useVault } from '../support/vault.ts'

const v = useVault()
let url = ''
beforeAll(async () => {
  url = await v.vault.app.listen({ host: '127.0.0.1', port: 0 })
})

const figures = async () => (await v.send('GET', '/metrics')).body as string

/** The value of one line, by what stands before it; 0 where there is none. */
async function figure(line: string): Promise<number> {
  const found = (await figures()).split('\n').find((each) => each.startsWith(`${line} `))
  return Number(found?.slice(line.length) ?? 0)
}

const answered = (operation: string, status: string) =>
  figure(`authconn_http_request_duration_seconds_count{operation="${operation}",status="${status}"}`)

test('requests are timed by operation and class of status', async () => {
  const name = await v.createConnection({ name: 'canary-connection' })
  const before = await answered('getConnection', '2xx')
  await v.call('getConnection', { params: { name } })
  await v.call('getConnection', { params: { name: 'no-such-canary' } })
  expect(await answered('getConnection', '2xx')).toBe(before + 1)
  expect(await answered('getConnection', '4xx')).toBe(1)
  expect(await answered('createConnection', '2xx')).toBe(1)
  const text = await figures()
  expect(text).toContain('authconn_http_request_duration_seconds_bucket{le="0.00025",operation="getConnection"')
  expect(text).not.toContain('canary')
})

test('what is no operation has a name as well, and a URL never is one', async () => {
  await v.send('GET', '/canary-path?token=canary', { key: null })
  await v.send('GET', '/docs', { key: null })
  await v.send('GET', '/openapi.json', { key: null })
  await v.vault.app.inject({ method: 'HEAD', url: '/healthz' })
  await figures()
  expect(await answered('none', '4xx')).toBe(1)
  expect(await answered('docs', '2xx')).toBe(1)
  expect(await answered('openapi', '2xx')).toBe(1)
  expect(await answered('getHealth', '2xx')).toBe(1)
  expect(await answered('metrics', '2xx')).toBeGreaterThan(0)
  expect(await figures()).not.toContain('canary')
})

test('requests in flight are counted, and no more once they are answered, refused or given up', async () => {
  const inFlight = () => figure('authconn_http_requests_in_flight')
  // The one that asks.
  expect(await inFlight()).toBe(1)
  await v.send('GET', '/%', { key: null })
  await v.send('GET', `/v1/connections/${'x'.repeat(300)}`, { key: null })
  await v.send('POST', '/v1/connections', { body: '{' })
  await raw('not HTTP at all\r\n\r\n')
  expect(await inFlight()).toBe(1)

  const name = await v.createAuthorizedConnection()
  v.sandbox.faults.set('token', { kind: 'hang' })
  const giveUp = new AbortController()
  const pending = fetch(`${url}/v1/connections/${name}/token?force_refresh=true`, {
    headers: { authorization: `Bearer ${v.adminKey}` },
    signal: giveUp.signal,
  }).catch(() => undefined)
  await vi.waitFor(async () => expect(await inFlight()).toBe(2))
  giveUp.abort()
  await pending
  await vi.waitFor(async () => expect(await inFlight()).toBe(1), { timeout: 15_000, interval: 100 })
  v.sandbox.faults.clear()
})

async function raw(text: string): Promise<void> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined)
  socket.end(text)
  socket.resume()
  await once(socket, 'close')
}

test('denials are counted by their code', async () => {
  const denied = (code: string) => figure(`authconn_denials_total{code="${code}"}`)
  const before = await denied('permission_denied')
  const key = await v.createCaller({ permissions: ['token:read'] })
  await v.call('listConnections', {}, key)
  await v.call('getToken', { params: { name: 'not-of-this-caller' } }, createApiKey().reveal())
  expect(await denied('permission_denied')).toBe(before + 1)
  expect(await denied('invalid_api_key')).toBe(1)
})

test('the pool of the database and the process are there', async () => {
  const text = await figures()
  expect(text).toMatch(/^authconn_database_connections\{state="idle"\} \d+$/m)
  expect(text).toMatch(/^authconn_database_connections\{state="busy"\} \d+$/m)
  expect(text).toMatch(/^authconn_database_waiting \d+$/m)
  expect(text).toMatch(/^process_resident_memory_bytes \d/m)
  expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds \d/m)
  expect(text).toMatch(/^authconn_rate_limited_total\{limit="caller"\} 0$/m)
  expect(text).toMatch(/^authconn_overloaded_total 0$/m)
})
