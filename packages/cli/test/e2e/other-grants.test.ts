import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectDevice } from '@authconn/sandbox'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { useWorld } from './support/world.ts'

// The main job of each way to tokens but the browser's, by the real programs against the real provider.

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const robot = 'robot@project.iam.gserviceaccount.com'
const { current } = useWorld({
  devicePollInterval: 1,
  clients: [
    { client_id: 'app', client_secret: 'a-secret-0123456789-0123456789-0123' },
    {
      client_id: '1234567890',
      client_secret: 'unused-secret-0123456789-0123456789',
      service_account: robot,
      jwks: { keys: [{ ...(publicKey.export({ format: 'jwk' }) as { kty: string }), kid: 'key-1', use: 'sig' }] },
    },
  ],
})

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'authconn-grants-'))
})
afterAll(() => rm(directory, { recursive: true }))

async function file(name: string, content: string): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, content, { mode: 0o600 })
  return path
}

/** A command that must succeed, and what it printed. */
async function authconn(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await current().authconn(args)
  expect({ args, exitCode, stderr }).toMatchObject({ exitCode: 0 })
  return stdout
}

async function introspect(token: string, client: readonly [string, string]) {
  const response = await fetch(`${current().sandbox.issuer}/introspect`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(client.join(':'))}` },
    body: new URLSearchParams({ token: token.trim() }),
  })
  return response.json()
}

const app = ['app', 'a-secret-0123456789-0123456789-0123'] as const
const accountClient = ['1234567890', 'unused-secret-0123456789-0123456789'] as const

test('client credentials: created, fetched without an authorization, revoked and authorized again', async () => {
  const secret = await file('secret', app[1])
  const of = ['--provider-url', current().sandbox.issuer, '--client-id', 'app', '--client-secret-file', secret]
  const created = await authconn(
    ...['create', 'reports', '--grant-type', 'client_credentials', '--scopes', 'api:read,api:write', ...of],
  )
  expect(created).toMatch(/^ {2}grant type +client_credentials$/m)
  expect(created).toMatch(/^ {2}scopes asked for +api:read api:write$/m)
  const first = await authconn('token', 'reports')
  expect(await introspect(first, app)).toMatchObject({ active: true, scope: 'api:read api:write' })
  expect(await authconn('revoke', 'reports')).toContain('revoked at the provider too')
  expect(await introspect(first, app)).toEqual({ active: false })
  expect((await current().authconn(['token', 'reports'])).stderr).toContain('grant_revoked')
  const authorized = await current().authconn(['authorize', 'reports'])
  expect(authorized.stderr).toContain('needs nobody to consent')
  expect(authorized.stdout).toContain('Authorized reports.')
  expect(await authconn('token', 'reports')).not.toBe(first)
}, 60_000)

test('a service account: from its key file, for itself and for a user', async () => {
  const key = {
    type: 'service_account',
    private_key_id: 'key-1',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    client_email: robot,
    client_id: '1234567890',
    token_uri: `${current().sandbox.issuer}/token`,
  }
  const path = await file('key.json', JSON.stringify(key))
  const created = await authconn(
    ...['create', 'drive', '--grant-type', 'jwt_bearer', '--service-account-file', path],
    ...['--provider-url', current().sandbox.issuer, '--scopes', 'openid,api:read', '--scope-claim'],
  )
  expect(created).toMatch(/^ {2}assertion issuer +robot@project\.iam\.gserviceaccount\.com$/m)
  expect(created).toMatch(/^ {2}client key +RS256, key id key-1/m)
  expect(created).not.toContain('PRIVATE')
  expect(await introspect(await authconn('token', 'drive'), accountClient)).toMatchObject({ sub: robot })
  expect((await current().authconn(['token', 'drive', '--subject', 'ann'])).stderr).toContain('grant_pending')
  await authconn('authorize', 'drive', '--subject', 'ann')
  const forAnn = await authconn('token', 'drive', '--subject', 'ann')
  expect(await introspect(forAnn, accountClient)).toMatchObject({ sub: 'ann', scope: 'openid api:read' })
}, 60_000)

async function connectedTo(name: string): Promise<void> {
  const { vault, sandbox } = current()
  const [client_id, client_secret] = app
  await vault.call('createConnection', { body: { name, provider_url: sandbox.issuer, client_id, client_secret } })
}

/** What authorize --device tells a program on standard error. */
async function noticeOf(child: { stderr(): string }): Promise<Record<string, string>> {
  await expect.poll(() => child.stderr(), { timeout: 10_000 }).toContain('user_code')
  return JSON.parse(child.stderr().split('\n')[0] ?? '')
}

test('a device code: shown, entered elsewhere, and awaited', async () => {
  await connectedTo('tv')
  const child = current().begin([
    'authorize',
    'tv',
    '--device',
    '--no-browser',
    '--json',
    '--scopes',
    'openid,email',
  ])
  const { user_code: userCode = '', verification_uri: uri = '' } = await noticeOf(child)
  await connectDevice(uri, { userCode, login: 'carol' })
  expect((await child.ended).exitCode).toBe(0)
  expect(JSON.parse(child.stdout())).toMatchObject({
    status: 'completed',
    connection: 'tv',
    grant: { status: 'active', account: { email: 'carol@example.com' } },
  })
  expect(await introspect(await authconn('token', 'tv'), app)).toMatchObject({ active: true, sub: 'carol' })
}, 60_000)

test('a device code that the person refuses is told as that', async () => {
  await connectedTo('refused')
  const child = current().begin(['authorize', 'refused', '--device', '--no-browser', '--json'])
  const { verification_uri_complete: uri = '' } = await noticeOf(child)
  await connectDevice(uri, { consent: 'deny' })
  expect((await child.ended).exitCode).toBe(8)
  expect(child.stderr()).toContain('authorization_denied')
}, 60_000)

test('a device code ends with Ctrl-C, in the vault too', async () => {
  await connectedTo('given-up')
  const child = current().begin(['authorize', 'given-up', '--device', '--no-browser', '--json'])
  const { authorization_id: id = '', verification_uri_complete: uri = '' } = await noticeOf(child)
  child.process.kill('SIGINT')
  expect((await child.ended).exitCode).toBe(130)
  const params = { id }
  expect(await current().vault.call('getAuthorization', { params })).toMatchObject({ status: 'failed' })
  await connectDevice(uri)
  const { status } = await current().vault.call('getConnection', { params: { name: 'given-up' } })
  expect(status).toBe('pending')
}, 60_000)
