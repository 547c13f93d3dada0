import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load-config.ts'
import { settings } from '../../src/config/settings.ts'
import { Secret } from '../../src/core/secret.ts'

const kek = Buffer.alloc(32, 7).toString('base64')
const directory = mkdtempSync(join(tmpdir(), 'authconn-config-'))
afterAll(() => rmSync(directory, { recursive: true }))
const file = (name: string, text: string) => {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

describe('the settings', () => {
  test('have defaults that work without any', () => {
    expect(loadConfig({ HOME: '/somewhere' })).toMatchObject({
      host: '127.0.0.1',
      port: 7345,
      dataDirectory: '/somewhere/.local/share/authconn',
      databaseUrl: undefined,
      allowLoopbackProviders: false,
      providerHosts: undefined,
      proxy: undefined,
      logLevel: 'info',
      unknownSettings: [],
    })
  })

  test('take secrets from files, without the newline at their end', () => {
    const config = loadConfig({
      AUTHCONN_KEK_FILE: file('kek', `${kek}\n`),
      DATABASE_URL_FILE: file('url', 'postgres://u:p@localhost/db\n'),
    })
    expect(config.keks).toEqual([{ kind: 'key', key: new Secret(kek) }])
    expect(config.databaseUrl?.reveal()).toBe('postgres://u:p@localhost/db')
  })

  test.each([
    ['AUTHCONN_PORT', 'abc'],
    ['AUTHCONN_PORT', '70000'],
    ['AUTHCONN_PORT', '-1'],
    ['AUTHCONN_PORT', 'tcp://10.0.0.1:7345'],
    ['AUTHCONN_DATABASE_POOL_SIZE', '0'],
    ['AUTHCONN_PROVIDER_TIMEOUT', '61'],
    ['AUTHCONN_SHUTDOWN_TIMEOUT', '1.5'],
    ['AUTHCONN_AUTO_MIGRATE', 'yes'],
    ['AUTHCONN_ALLOW_LOOPBACK_PROVIDERS', '1'],
    ['AUTHCONN_LOG_LEVEL', 'verbose'],
    ['AUTHCONN_KEK', 'c2hvcnQ='],
    ['AUTHCONN_KEK_FILE', join(directory, 'missing')],
    ['AUTHCONN_KEK_FILE', file('empty', '\n')],
    ['DATABASE_URL', 'mysql://u:secret-password@host/db'],
    ['DATABASE_URL', 'postgres://u:secret-password%@host/db'],
    ['DATABASE_URL_FILE', join(directory, 'missing')],
    ['DATABASE_URL_FILE', file('wrong-url', 'mysql://u:secret-password@host/db')],
    ['AUTHCONN_KEK_FILE', file('wrong-kek', 'c2hvcnQ=')],
    ['AUTHCONN_ALLOWED_REDIRECT_URIS', 'http://example.com/callback'],
    ['AUTHCONN_TRUSTED_PROXIES', 'proxy.example.com'],
    ['AUTHCONN_TRUSTED_PROXIES', '10.0.0.1/8'],
    ['AUTHCONN_TRUSTED_PROXIES', '10.0.0.0/33'],
    ['AUTHCONN_TRUSTED_PROXIES', '10.0.0.1; 10.0.0.2'],
    ['AUTHCONN_TRUSTED_PROXIES', '127.0.0.1, true'],
    ['AUTHCONN_TRUSTED_PROXIES', '0.0.0.0/0'],
    ['AUTHCONN_TRUSTED_PROXIES', '::/0'],
    ['AUTHCONN_RATE_LIMIT', '-1'],
    ['AUTHCONN_AUTH_FAILURE_LIMIT', 'off'],
    ['AUTHCONN_EXCHANGE_LIMIT', '-1'],
    ['AUTHCONN_REDIS_URL', 'http://u:secret-password@host:6379'],
    ['AUTHCONN_REDIS_URL', 'redis://u:secret-password@host:port'],
    ['AUTHCONN_REDIS_URL', 'redis://host/name'],
    ['AUTHCONN_REDIS_URL_FILE', join(directory, 'missing')],
    ['AUTHCONN_OTLP_ENDPOINT', 'grpc://collector:4317'],
    ['AUTHCONN_OTLP_ENDPOINT', 'https://user:secret-password@collector'],
    ['AUTHCONN_OTLP_ENDPOINT', 'https://collector?token=secret-password'],
    ['AUTHCONN_TRACE_PERCENT', '101'],
    ['AUTHCONN_PROVIDER_HOSTS', 'https://idp.example'],
    ['AUTHCONN_PROVIDER_HOSTS', 'idp.example:8443'],
    ['AUTHCONN_PROVIDER_HOSTS', 'idp.*.example'],
    ['AUTHCONN_PROVIDER_HOSTS', '*'],
    ['HTTPS_PROXY', 'proxy.example:3128'],
    ['HTTPS_PROXY', 'socks5://u:secret-password@proxy.example'],
    ['HTTPS_PROXY', 'http://u:secret-password%@proxy.example'],
    ['AUTHCONN_PROXY_NAMES', 'both'],
    ['NODE_TLS_REJECT_UNAUTHORIZED', '0'],
  ])('%s=%s is refused by name', (name, value) => {
    const error = (() => {
      try {
        return loadConfig({ [name]: value })
      } catch (thrown) {
        return thrown
      }
    })()
    expect(error).toMatchObject({ code: 'setting_invalid' })
    expect(String(error)).toMatch(new RegExp(`${name}[ =]`))
    expect(String(error)).not.toContain('secret-password')
    expect(String(error)).not.toContain('c2hvcnQ=')
  })

  test('take proxies as addresses and ranges, in one spelling', () => {
    const { trustedProxies } = loadConfig({
      AUTHCONN_TRUSTED_PROXIES: '10.0.0.0/8, ::ffff:192.0.2.1,2001:DB8::/32 , ::1',
    })
    expect(trustedProxies).toEqual(['10.0.0.0/8', '192.0.2.1', '2001:db8::/32', '::1'])
    expect(loadConfig({}).trustedProxies).toEqual([])
  })

  test('take the hosts of providers as URLs spell them', () => {
    const hosts = 'Accounts.Example.com., *.IDP.example,bücher.example, 192.0.2.7, [2001:DB8::1]'
    expect(loadConfig({ AUTHCONN_PROVIDER_HOSTS: hosts }).providerHosts).toEqual([
      'accounts.example.com',
      '*.idp.example',
      'xn--bcher-kva.example',
      '192.0.2.7',
      '[2001:db8::1]',
    ])
  })

  test('take the proxy by its usual variables, lower case first', () => {
    const both = { HTTPS_PROXY: 'http://upper.example:1', https_proxy: 'http://u:p%40@lower.example:3128' }
    const { proxy } = loadConfig({ ...both, no_proxy: 'idp.example, *.internal.example', NO_PROXY: '*' })
    expect(proxy?.url.reveal()).toBe('http://u:p%40@lower.example:3128')
    expect(proxy).toMatchObject({ exceptions: ['idp.example', '*.internal.example'], names: 'vault' })
    expect(loadConfig({ HTTPS_PROXY: 'https://upper.example' }).proxy?.url.reveal()).toBe('https://upper.example')
    expect(loadConfig({ HTTP_PROXY: 'http://p.example', https_proxy: '' }).proxy).toBeUndefined()
    expect(JSON.stringify(proxy)).not.toContain('p%40')
  })

  test('limit by default, and not with 0', () => {
    expect(loadConfig({}).limits).toEqual({
      perCaller: 10_000,
      failuresPerAddress: 30,
      exchanges: 600,
      redisUrl: undefined,
    })
    expect(loadConfig({ AUTHCONN_RATE_LIMIT: '0', AUTHCONN_AUTH_FAILURE_LIMIT: '0' }).limits).toMatchObject({
      perCaller: 0,
      failuresPerAddress: 0,
    })
    const url = file('redis-url', 'rediss://:p@host:6380/1\n')
    expect(loadConfig({ AUTHCONN_REDIS_URL_FILE: url }).limits.redisUrl?.reveal()).toBe('rediss://:p@host:6380/1')
  })

  test.each([
    ['http://127.0.0.1:4318', 'http://127.0.0.1:4318/v1/traces'],
    ['https://collector.example.com/otlp/', 'https://collector.example.com/otlp/v1/traces'],
  ])('send traces to %s as %s', (given, url) => {
    expect(loadConfig({ AUTHCONN_OTLP_ENDPOINT: given }).tracing).toEqual({ url, ratio: 1 })
  })

  test('refuse a secret that is given twice', () => {
    expect(() => loadConfig({ AUTHCONN_KEK: kek, AUTHCONN_KEK_FILE: file('kek2', kek) })).toThrow(/both set/)
  })

  test('name what is probably mistyped, and leave what Kubernetes sets', () => {
    const config = loadConfig({ AUTHCONN_LOGLEVEL: 'debug', AUTHCONN_SERVICE_HOST: 'x', AUTHCONN_API_KEY: 'x' })
    expect(config.unknownSettings).toEqual(['AUTHCONN_LOGLEVEL'])
  })

  test('are frozen', () => {
    expect(Object.isFrozen(loadConfig({}))).toBe(true)
  })

  test('are all read by their name', () => {
    for (const { name } of settings) {
      // Any text is a host, a directory or a list of exceptions.
      if (/HOST|DATA_DIR|NO_PROXY/.test(name)) continue
      expect(() => loadConfig({ [name]: 'not-a-valid-value-for-any' }), name).toThrow(
        new RegExp(name.replace(/_FILE$/, '')),
      )
    }
  })
})
