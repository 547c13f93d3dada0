import { afterEach, expect, test } from 'vitest'
import { expectProblem, useVault } from '../support/vault.ts'

const v = useVault()
afterEach(() => v.sandbox.faults.clear())

const scrape = async (key?: string | null) => v.send('GET', '/metrics', key === undefined ? {} : { key })

test('counts refreshes by provider and outcome, and tells what is due, without a name of anybody', async () => {
  const name = await v.createConnection({ name: 'canary-connection' })
  await v.authorize(name, { subject: 'canary-subject' })
  const forced = { force_refresh: true, subject: 'canary-subject' }
  await v.call('getToken', { params: { name }, query: forced })
  const other = await v.createConnection()
  await v.authorize(other)
  v.sandbox.faults.set('token', { kind: 'oauth_error', error: 'invalid_grant' })
  await v.call('getToken', { params: { name: other }, query: { force_refresh: true } })

  const { status, headers, body } = await scrape()
  expect(status).toBe(200)
  expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/)
  expect(body).toContain('authconn_refreshes_total{provider="other",outcome="refreshed"} 1')
  expect(body).toContain('authconn_refreshes_total{provider="other",outcome="permanent"} 1')
  expect(body).toContain('authconn_refresh_duration_seconds_count{provider="other"} 2')
  expect(body).toMatch(/^authconn_refresh_due 0$/m)
  expect(body).not.toContain('canary')
  expect(body).not.toContain(new URL(v.sandbox.issuer).host)
})

test('are for callers that hold metrics:read', async () => {
  expectProblem(await scrape(null), 401, 'unauthenticated')
  expectProblem(await scrape(await v.createCaller({ permissions: ['token:read'] })), 403, 'permission_denied')
  expect((await scrape(await v.createCaller({ permissions: ['metrics:read'] }))).status).toBe(200)
})
