import { chmod, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import type { Provider } from '@authconn/shared'
import { describe, expect, onTestFinished, test } from 'vitest'
import { judgeClock, judgeKey } from '../src/doctor/check-vault.ts'
import type { Diagnosis } from '../src/doctor/diagnosis.ts'
import { explainOauthError } from '../src/doctor/oauth-errors.ts'
import { fakeVault, type Handlers, Problem } from './support/fake-vault.ts'
import { localVault, withCredentials } from './support/local-vault.ts'
import { run } from './support/run.ts'
import { caller, connection, provider } from './support/samples.ts'

const self = { ...caller({ permissions: ['connection:read'] }), workspace: 'acme' }

async function freePort(): Promise<string> {
  const { server, port } = await listening(() => undefined)
  await new Promise((resolve) => server.close(resolve))
  return String(port)
}

async function listening(answer: (path: string) => object | undefined) {
  const server = createServer((request, response) => {
    const body = answer(request.url ?? '')
    response.writeHead(body ? 200 : 404).end(JSON.stringify(body ?? {}))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { server, port: address.port, origin: `http://127.0.0.1:${address.port}` }
}

/** What doctor finds, by the name of the check. */
async function diagnose(argv: string[], handlers: Handlers, env: Record<string, string> = {}) {
  const { url } = await fakeVault({
    getHealth: () => ({ status: 'ok' }),
    getReadiness: () => ({ status: 'ok' }),
    getSelf: () => self,
    listConnections: () => ({ connections: [], next: null }),
    ...handlers,
  })
  const ran = await run(['doctor', ...argv, '--port', await freePort(), '--json'], { url, env })
  const diagnosis: Diagnosis = JSON.parse(ran.stdout)
  const checks = new Map(diagnosis.checks.map((check) => [check.name, check]))
  return { ...ran, diagnosis, check: (name: string) => checks.get(name) }
}

describe('doctor', () => {
  test('finds nothing wrong where nothing is, and ends with 0', async () => {
    const { exitCode, diagnosis } = await diagnose([], {
      listConnections: () => ({ connections: [connection()], next: null }),
    })
    expect(exitCode).toBe(0)
    expect(diagnosis.ok).toBe(true)
    expect(diagnosis.checks.map(({ name, status }) => [name, status])).toEqual([
      ['configuration', 'ok'],
      ['key file', 'skipped'],
      ['vault', 'ok'],
      ['clock', 'ok'],
      ['readiness', 'ok'],
      ['API key', 'ok'],
      ['connection google-oauth', 'ok'],
      ['redirect URI', 'ok'],
      ['browser', expect.stringMatching(/ok|warning/)],
    ])
  })

  test('tells a vault that is not there, still looks at the port, and ends with 1', async () => {
    const port = await freePort()
    const { exitCode, stdout } = await run(['doctor', '--port', port], { url: 'http://127.0.0.1:1' })
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/^FAILED {2}vault: .*\[vault_unreachable\]$/m)
    expect(stdout).toMatch(/^ok {6}redirect URI: http:\/\/127\.0\.0\.1:\d+\/callback is free/m)
    expect(stdout).toContain('Something failed')
  })

  test('tells a vault that nobody named, and a file of its key that others may read', async () => {
    const port = await freePort()
    expect(await run(['doctor', '--port', port])).toMatchObject({
      exitCode: 1,
      stdout: expect.stringMatching(/^FAILED {2}configuration: .*\[vault_not_configured\]$/m),
    })
    if (process.platform === 'win32') return
    const { env } = await withCredentials('{"url":"http://127.0.0.1:1","api_key":"ak_canary"}', 0o644)
    const { stdout } = await run(['doctor', '--port', port], { env })
    expect(stdout).toContain('[key_file_unsafe]')
    expect(stdout).not.toContain('canary')
  })

  test('finds the file of the vault on this machine private', async () => {
    const { env, file } = await localVault({
      getReadiness: () => ({ status: 'ok' }),
      getSelf: () => self,
      listConnections: () => ({ connections: [], next: null }),
    })
    const { exitCode, stdout } = await run(['doctor', '--port', await freePort()], { env })
    expect({ exitCode, stdout }).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(`${file} is for its owner`),
    })
  })

  test.skipIf(process.platform === 'win32')(
    'warns of a key file of the environment that others may read',
    async () => {
      const { env } = await withCredentials('{}')
      const file = join(env.AUTHCONN_DATA_DIR, 'key')
      await writeFile(file, 'ak_file')
      await chmod(file, 0o644)
      const { check, exitCode } = await diagnose([], {}, { AUTHCONN_API_KEY: '', AUTHCONN_API_KEY_FILE: file })
      expect(check('key file')).toMatchObject({ status: 'warning', detail: expect.stringContaining('mode 0644') })
      expect(exitCode).toBe(0)
    },
  )

  test('tells a key that is not accepted, and a vault that is not ready', async () => {
    const { check, exitCode } = await diagnose([], {
      getSelf() {
        throw new Problem('invalid_api_key', 'no such key')
      },
      getReadiness() {
        throw new Problem('not_ready', 'The database does not answer')
      },
    })
    expect(exitCode).toBe(1)
    expect(check('API key')).toMatchObject({ status: 'failed' })
    expect(check('readiness')).toMatchObject({ status: 'failed', detail: expect.stringContaining('database') })
  })

  test('does not blame a key that may not look at connections', async () => {
    const { check, exitCode } = await diagnose([], {
      listConnections() {
        throw new Problem('permission_denied', 'It may not.')
      },
    })
    expect(check('connections')?.status).toBe('skipped')
    expect(exitCode).toBe(0)
  })

  test('tells a port that is taken', async () => {
    const { port } = await listening(() => undefined)
    const { url } = await fakeVault({ getHealth: () => ({ status: 'ok' }) })
    const { exitCode, stdout } = await run(['doctor', '--port', String(port)], { url })
    expect(exitCode).toBe(1)
    expect(stdout).toContain(`FAILED  redirect URI: Another program listens on port ${port}`)
  })

  test('explains the error of a connection with what is known of it', async () => {
    const last_error = {
      code: 'client_rejected',
      class: 'configuration' as const,
      detail: 'invalid_client',
      at: '2026-01-01T00:00:00.000Z',
    }
    const broken = connection({ last_error, client_id: 'client-77' })
    const { exitCode, diagnosis } = await diagnose([], {
      listConnections: () => ({ connections: [broken], next: null }),
    })
    expect(exitCode).toBe(1)
    expect(diagnosis.explanations).toMatchObject([{ error: 'invalid_client' }])
    expect(diagnosis.explanations[0]?.steps.join()).toContain('client-77')
    expect(diagnosis.explanations[0]?.steps.join()).toContain('authconn update google-oauth')
  })

  test.each([
    ['http://localhost:8080/callback', 'ok', /^http:\/\/localhost:\d+\/callback is free/],
    ['https://YOUR-HOST/callback', 'skipped', /takes https ones only/],
  ] as const)('looks at the redirect URI that is to be registered: %s', async (redirect_uri, status, words) => {
    const last_error = {
      code: 'code_rejected',
      class: 'configuration' as const,
      detail: 'bad_redirect_uri',
      at: '2026-01-01T00:00:00.000Z',
    }
    const registration = { url: 'https://console.example', redirect_uri, note: null }
    const { check, diagnosis } = await diagnose(['google-oauth'], {
      getConnection: () => connection({ issuer_url: null, registration, last_error }),
    })
    expect(check('redirect URI')).toMatchObject({ status, detail: expect.stringMatching(words) })
    const { hostname } = new URL(redirect_uri)
    expect(diagnosis.explanations[0]?.steps.join().toLowerCase()).toContain(`//${hostname}`)
  })

  test.each([
    ['pending', 'warning', 'never authorized'],
    ['expired', 'failed', 'expired'],
    ['revoked', 'failed', 'revoked'],
  ] as const)('tells that a connection is %s', async (status, verdict, words) => {
    const { check } = await diagnose(['google-oauth'], {
      getConnection: () => connection({ status, issuer_url: null }),
    })
    expect(check('connection google-oauth')).toMatchObject({
      status: verdict,
      detail: expect.stringContaining(words),
      hint: expect.stringContaining('authconn authorize google-oauth'),
    })
  })

  test.each([
    [null, 'ok', 'no token was fetched yet'],
    ['token_request_rejected', 'failed', 'token_request_rejected'],
  ] as const)(
    'tells of one that needs nobody to consent, before its first token: %s',
    async (code, status, words) => {
      const at = '2026-01-01T00:00:00.000Z'
      const last_error = code && { code, class: 'configuration' as const, detail: 'invalid_scope', at }
      const { check } = await diagnose(['google-oauth'], {
        getConnection: () =>
          connection({ status: 'pending', grant_type: 'client_credentials', issuer_url: null, last_error }),
      })
      expect(check('connection google-oauth')).toMatchObject({ status, detail: expect.stringContaining(words) })
    },
  )

  describe('of an active connection without a refresh token', () => {
    const without = (changes: Parameters<typeof connection>[0] = {}) => ({
      listConnections: () => ({ connections: [connection({ refreshable: false, ...changes })], next: null }),
    })
    const found = async (handlers: Handlers) => (await diagnose([], handlers)).check('connection google-oauth')

    test('says nothing against a token that has no end', async () => {
      expect(await found(without({ expires_at: null }))).toEqual({
        name: 'connection google-oauth',
        status: 'ok',
        detail: 'active, with a token that has no end',
      })
    })

    test.each<[Partial<Provider>, string]>([
      [{ scopes: { separator: ' ', default: [], offline: 'offline_access' } }, 'the scope offline_access'],
      [{}, 'authconn providers google'],
      [{ refresh_token: { rotation: 'none' } }, 'gives no refresh tokens'],
      [{ id: 'other' }, 'Look up for what the provider gives refresh tokens'],
    ])('warns of one that ends, and says what the catalog knows: %j', async (changes, words) => {
      const listProviders = () => ({ providers: [provider(changes)] })
      const warned = await found({ ...without(), listProviders })
      expect(warned).toMatchObject({ status: 'warning', hint: expect.stringContaining(words) })
      expect(warned?.hint?.includes('offline_access')).toBe('scopes' in changes)
    })
  })

  test('ends with the error where the connection does not exist', async () => {
    const { url } = await fakeVault({
      getHealth: () => ({ status: 'ok' }),
      getReadiness: () => ({ status: 'ok' }),
      getSelf: () => self,
      listConnections: () => ({ connections: [connection()], next: null }),
      getConnection() {
        throw new Problem('connection_not_found', 'There is no such connection.')
      },
    })
    const { exitCode, stdout, stderr } = await run(['doctor', 'google-oaut', '--port', await freePort()], { url })
    expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: '' })
    expect(stderr).toContain('Did you mean google-oauth?')
  })
})

describe("the provider's metadata", () => {
  const metadataOf = async (answer: (origin: string, path: string) => object | undefined, path = '') => {
    const provider: { origin: string } = await listening((at) => answer(provider.origin, at))
    const issuer = `${provider.origin}${path}`
    const endpoints = { authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token` }
    const { check } = await diagnose(['google-oauth'], {
      getConnection: () => connection({ issuer_url: issuer, endpoints }),
    })
    return check('provider metadata')
  }
  const published = (issuer: string) => ({
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
  })

  test('is what the connection uses', async () => {
    const found = await metadataOf((origin, path) =>
      path === '/.well-known/openid-configuration' ? published(origin) : undefined,
    )
    expect(found).toMatchObject({ status: 'ok' })
  })

  test('is found where RFC 8414 puts it, too', async () => {
    const found = await metadataOf(
      (origin, path) =>
        path === '/.well-known/oauth-authorization-server/t1' ? published(`${origin}/t1`) : undefined,
      '/t1',
    )
    expect(found).toMatchObject({ status: 'ok' })
  })

  test('that says something else is told, with both', async () => {
    const found = await metadataOf((origin) => ({
      ...published(origin),
      token_endpoint: 'https://new.example/token',
    }))
    expect(found).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining('https://new.example/token there'),
    })
  })

  test('that is not there, or no metadata, is told', async () => {
    expect(await metadataOf(() => undefined)).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining('answers with 404'),
    })
    expect(await metadataOf(() => ({ padding: 'x'.repeat(300_000) }))).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining('no metadata'),
    })
  })

  test.each([null, 'https://login.example.com/{tenantid}/v2.0'])(
    'is not looked for where the issuer is %s',
    async (issuer_url) => {
      const { check } = await diagnose(['google-oauth'], { getConnection: () => connection({ issuer_url }) })
      expect(check('provider metadata')).toMatchObject({ status: 'skipped' })
    },
  )
})

test.each([
  [0, 'ok'],
  [9.4, 'ok'],
  [-11, 'warning'],
  [301, 'failed'],
  [undefined, 'skipped'],
] as const)('a clock that is %s s off is %s', (offset, status) => {
  expect(judgeClock(offset).status).toBe(status)
})

test('which of two clocks is ahead is told', () => {
  expect(judgeClock(400).detail).toBe('the vault is 6 min ahead of this machine')
  expect(judgeClock(-400).detail).toBe('the vault is 6 min behind this machine')
})

test('a key that expires within a week is a warning', () => {
  const now = new Date('2026-01-01T00:00:00Z')
  expect(judgeKey({ ...self, expires_at: '2026-01-03T00:00:00.000Z' }, now)).toMatchObject({
    status: 'warning',
    detail: expect.stringContaining('expires in 2 days'),
  })
  expect(judgeKey({ ...self, expires_at: '2026-02-03T00:00:00.000Z' }, now).status).toBe('ok')
})

describe('an OAuth error', () => {
  const known = { name: 'acme', clientId: 'c1', redirectUri: 'http://127.0.0.1:8080/callback' }

  test.each([
    ['invalid_client', 'invalid_client'],
    ['AADSTS7000215: Invalid client secret provided', 'invalid_client'],
    ['incorrect_client_credentials', 'invalid_client'],
    ['Error 400: redirect_uri_mismatch', 'redirect_uri_mismatch'],
    ['AADSTS50011: The redirect URI specified does not match', 'redirect_uri_mismatch'],
    ['bad_redirect_uri', 'redirect_uri_mismatch'],
    ['code_rejected', 'redirect_uri_mismatch'],
    ['invalid_scope', 'invalid_scope'],
    ['AADSTS65001', 'invalid_scope'],
    ['invalid_grant', 'invalid_grant'],
    ['AADSTS700082', 'invalid_grant'],
    ['bad_verification_code', 'invalid_grant'],
  ])('%j is %s', (words, error) => {
    expect(explainOauthError(words, known)?.error).toBe(error)
  })

  test('names the redirect URI to register, and the connection in what to type', () => {
    const { steps = [] } = explainOauthError('redirect_uri_mismatch', known) ?? {}
    expect(steps.join()).toContain(known.redirectUri)
    expect(steps.join()).toContain('authconn authorize acme')
    expect(steps.join()).not.toContain('NAME')
  })

  test('is explained without a vault, and one that is none is refused', async () => {
    const argv = ['doctor', '--port', await freePort(), '--error']
    expect((await run([...argv, 'redirect_uri_mismatch'])).stdout).toContain('is not registered at the provider')
    expect(await run([...argv, 'weather'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('--error knows'),
    })
  })
})
