import { routes } from '@authconn/shared'
import { describe, expect, test } from 'vitest'
import { urlOf } from '../support/url-of.ts'
import { useVault } from '../support/vault.ts'

const vault = useVault({ environment: { AUTHCONN_TRUSTED_PROXIES: '127.0.0.1' } })

const everywhere = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'x-permitted-cross-domain-policies': 'none',
  'content-security-policy': expect.stringContaining("default-src 'none'"),
}

const answers: [string, string, string][] = [
  ['an answer', 'GET', '/v1/connections'],
  ['an answer to everybody', 'GET', '/healthz'],
  ['metrics', 'GET', '/metrics'],
  ['the API’s description', 'GET', '/openapi.json'],
  ['a refusal', 'GET', '/v1/connections/none/token'],
  ['what is not there', 'GET', '/nothing'],
  ['a URL that is none', 'GET', '/%'],
  ['another method', 'PATCH', '/healthz'],
]

describe('security headers', () => {
  test.each(answers)('are in %s', async (_what, method, url) => {
    const { headers } = await vault.send(method, url)
    expect(headers).toMatchObject({ ...everywhere, 'cache-control': 'no-store' })
    expect(headers).not.toHaveProperty('server')
    expect(headers).not.toHaveProperty('x-powered-by')
  })

  test('of a page say besides that it shares nothing with others', async () => {
    const { headers } = await vault.send('GET', '/docs')
    expect(headers).toMatchObject({
      ...everywhere,
      'content-security-policy': expect.stringMatching(/style-src 'sha256-.*frame-ancestors 'none'/),
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'origin-agent-cluster': '?1',
      'permissions-policy': expect.stringContaining('camera=()'),
    })
    expect(String(headers['content-security-policy'])).not.toContain('unsafe')
  })
})

describe('Strict-Transport-Security', () => {
  const field = 'strict-transport-security'
  const through = (address: string, proto: string, host = 'vault.example.com') =>
    vault.send('GET', '/healthz', { address, headers: { 'x-forwarded-proto': proto, host } })

  test('is sent when a trusted proxy says that the client speaks TLS', async () => {
    expect((await through('127.0.0.1', 'https')).headers[field]).toBe('max-age=31536000; includeSubDomains')
  })

  test('is not sent over plain HTTP, nor because somebody else says so, nor for localhost', async () => {
    expect((await through('127.0.0.1', 'http')).headers).not.toHaveProperty(field)
    expect((await through('203.0.113.9', 'https')).headers).not.toHaveProperty(field)
    expect((await through('127.0.0.1', 'https', 'localhost:7345')).headers).not.toHaveProperty(field)
  })
})

describe('pages of other origins', () => {
  const origins = ['https://evil.example', 'null', 'http://127.0.0.1:7345']
  const corsFields = (headers: object) => Object.keys(headers).filter((name) => /^access-control-/.test(name))

  test.each(origins)('from %s are given no CORS field with any answer', async (origin) => {
    for (const [, method, url] of answers) {
      expect(corsFields((await vault.send(method, url, { headers: { origin } })).headers)).toEqual([])
    }
  })

  test('are refused a preflight for every operation', async () => {
    const operations = Object.keys(routes) as (keyof typeof routes)[]
    for (const name of operations) {
      const url = urlOf(name, { name: 'x', id: '0190b5c6-0000-7000-8000-000000000000' }, {})
      const { status, headers, body } = await vault.send('OPTIONS', url, {
        key: null,
        headers: {
          origin: 'https://evil.example',
          'access-control-request-method': routes[name][0],
          'access-control-request-headers': 'authorization, content-type',
        },
      })
      expect([name, status, body.code]).toEqual([name, 404, 'not_found'])
      expect(corsFields(headers)).toEqual([])
    }
  })

  test('cannot send a body without a preflight: what a form can send is refused', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      const { status } = await vault.send('POST', '/v1/connections', {
        body: '{"name": "x"}',
        headers: { 'content-type': type },
      })
      expect(status).toBe(415)
    }
  })
})
