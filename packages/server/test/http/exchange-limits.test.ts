import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { type OidcIssuer, startIssuer, vaultAudience } from '../support/oidc-issuer.ts'
import { expectProblem, useVault } from '../support/vault.ts'

// Behind a proxy at the address that the tests come from, so that each test can come from addresses of its own.
const v = useVault({
  environment: {
    AUTHCONN_EXCHANGE_LIMIT: '3',
    AUTHCONN_AUTH_FAILURE_LIMIT: '2',
    AUTHCONN_TRUSTED_PROXIES: '127.0.0.1',
  },
})
let issuer: OidcIssuer
beforeAll(async () => {
  issuer = await startIssuer()
})
afterAll(() => issuer.stop())

// No window ends while a test runs, unless the test says so.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

async function newTrust(given: Record<string, unknown> = {}): Promise<string> {
  const body = {
    name: `trust-${randomUUID()}`,
    issuer: issuer.url,
    audience: [vaultAudience],
    claims: [{ claim: 'repository_id', values: ['456789'] }],
    permissions: ['token:read'],
    ...given,
  }
  const answer = await v.send('POST', '/v1/trusts', { body })
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
  return body.name
}

const exchange = (address: string, trust: string, token = issuer.sign(issuer.githubClaims())) =>
  v.send('POST', '/v1/identity/token', {
    key: null,
    headers: { 'x-forwarded-for': address },
    body: {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      trust,
    },
  })

test('an address makes so many exchanges in a minute, and as many questions how to log in', async () => {
  const trusts = [await newTrust(), await newTrust()]
  const logins = () =>
    v.send('GET', '/v1/identity/logins', { key: null, headers: { 'x-forwarded-for': '192.0.2.1' } })
  for (const trust of trusts) expect((await exchange('192.0.2.1', trust)).status).toBe(200)
  const third = await logins()
  expect(third.status).toBe(200)
  expect(third.headers['ratelimit-policy']).toBe('"exchange";q=3;w=60')
  for (const refused of [await exchange('192.0.2.1', trusts[0] ?? ''), await logins()]) {
    expectProblem(refused, 429, 'too_many_requests')
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60)
  }
})

test('a trust gives so many keys in a minute, wherever they are asked for, and others go on', async () => {
  const trust = await newTrust()
  for (let at = 1; at <= 3; at++) expect((await exchange(`192.0.2.1${at}`, trust)).status).toBe(200)
  const refused = await exchange('192.0.2.14', trust)
  expectProblem(refused, 429, 'too_many_requests')
  expect(refused.body.detail).toContain(trust)
  expect((await exchange('192.0.2.14', await newTrust())).status).toBe(200)

  vi.setSystemTime(Date.now() + 1000 * Number(refused.headers['retry-after']))
  expect((await exchange('192.0.2.15', trust)).status).toBe(200)
})

test('nobody sends tokens without end while the keys of their issuer cannot be had', async () => {
  const trust = await newTrust({ jwks_uri: `${issuer.url}/gone` })
  for (let at = 0; at < 2; at++) {
    expectProblem(await exchange('192.0.2.20', trust), 503, 'identity_provider_unavailable')
  }
  const refused = await exchange('192.0.2.20', trust)
  expectProblem(refused, 429, 'too_many_requests')
  expect(refused.headers['ratelimit-policy']).toBe('"address";q=2;w=60')
})
