import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { loginNonce as nonceAtTheVault } from '../../server/src/core/trusts/login-nonce.ts'
import { judgeToken } from '../src/doctor/check-identity.ts'
import { loginNonce } from '../src/login/login-nonce.ts'
import { createProfileStore } from '../src/profiles/profile-store.ts'
import { freePort } from './e2e/support/free-port.ts'
import { fakeVault, Problem } from './support/fake-vault.ts'
import { httpGet } from './support/http-get.ts'
import { localVault } from './support/local-vault.ts'
import { begin, run } from './support/run.ts'
import { caller, issuedKey, token } from './support/samples.ts'

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const jwt = (claims: object) => `${encode({ alg: 'RS256' })}.${encode(claims)}.signature-canary`
const idToken = jwt({ iss: 'https://ci.example', aud: 'vault', sub: 'job-1' })

const handlers = {
  exchangeToken: () => issuedKey(),
  listConnections: () => ({ connections: [], next: null }),
  getToken: () => token(),
}

/** What a job of GitHub Actions asks for its tokens. */
async function actions() {
  const audiences: (string | null)[] = []
  const server = createServer((request, response) => {
    audiences.push(new URL(request.url ?? '', 'http://actions').searchParams.get('audience'))
    response.writeHead(200).end(JSON.stringify({ value: idToken }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const url = `http://127.0.0.1:${port}/?api-version=2.0`
  return {
    audiences,
    env: { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request-canary' },
  }
}

/** A profile "prod" that is the current one. */
async function withProfile(url: string, login?: { trust: string; expiresAt: string }) {
  const directory = await mkdtemp(join(tmpdir(), 'authconn-cli-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const env = { AUTHCONN_CONFIG_DIR: directory }
  const store = createProfileStore(env)
  await store.save({ name: 'prod', url, workspace: 'acme', caller: 'dev', apiKey: 'ack_kept', login })
  await store.use('prod')
  return env
}

describe('what the vault is asked with', () => {
  test('is the key for the identity of the job, where no key is given', async () => {
    const { url, requests } = await fakeVault(handlers)
    const { env, audiences } = await actions()
    expect((await run(['list'], { env: { ...env, AUTHCONN_URL: url } })).exitCode).toBe(0)
    expect(requests.map(({ operation, apiKey }) => [operation, apiKey])).toEqual([
      ['exchangeToken', undefined],
      ['listConnections', 'ack_issued-1'],
    ])
    expect(audiences).toEqual([url])
  })

  test('with AUTHCONN_AUDIENCE, AUTHCONN_WORKSPACE and AUTHCONN_TRUST is what they say', async () => {
    const { url, requests } = await fakeVault(handlers)
    const { env, audiences } = await actions()
    const settings = { AUTHCONN_AUDIENCE: 'the-vault', AUTHCONN_WORKSPACE: 'acme', AUTHCONN_TRUST: 'deploy' }
    await run(['list', '--vault-url', url], { env: { ...env, ...settings } })
    expect(audiences).toEqual(['the-vault'])
    expect(requests[0]?.body).toMatchObject({ workspace: 'acme', trust: 'deploy', subject_token: idToken })
  })

  test.each<[string, Record<string, string>]>([
    [
      'an API key of the environment before any identity',
      { AUTHCONN_API_KEY: 'ak_env', AUTHCONN_ID_TOKEN: idToken },
    ],
    ['the token that was given for the vault before that of the job', { AUTHCONN_ID_TOKEN: idToken }],
  ])('is %s', async (_, given) => {
    const { url, requests } = await fakeVault(handlers)
    const { env, audiences } = await actions()
    await run(['list'], { env: { ...env, ...given, AUTHCONN_URL: url } })
    expect(audiences).toEqual([])
    expect(requests.at(-1)?.apiKey).toBe(given.AUTHCONN_API_KEY ?? 'ack_issued-1')
  })

  test('is the identity of the job before the key of a vault on this machine that is named by its address', async () => {
    const { url, env: local, asked } = await localVault(handlers)
    const { env } = await actions()
    await run(['list'], { env: { ...local, ...env, AUTHCONN_URL: url } })
    expect(asked().map(({ operation }) => operation)).toEqual(['exchangeToken', 'listConnections'])
    // Not named, it is asked with its own key: that a job has an identity says nothing about it.
    await run(['list'], { env: { ...local, ...env } })
    expect(asked().at(-1)).toMatchObject({ operation: 'listConnections', apiKey: 'ak_local' })
  })

  test('is the key of a profile, unless AUTHCONN_ID_TOKEN goes with AUTHCONN_PROFILE', async () => {
    const { url, requests } = await fakeVault(handlers)
    const profile = await withProfile(url)
    const { env } = await actions()
    await run(['list'], { env: { ...profile, ...env } })
    await run(['list', '--profile', 'prod'], { env: { ...profile, AUTHCONN_ID_TOKEN: idToken } })
    expect(requests.map(({ apiKey }) => apiKey)).toEqual(['ack_kept', 'ack_kept'])
    await run(['list'], { env: { ...profile, AUTHCONN_ID_TOKEN: idToken, AUTHCONN_PROFILE: 'prod' } })
    expect(requests.at(-1)?.apiKey).toBe('ack_issued-1')
    const refused = await run(['list'], { env: { ...profile, AUTHCONN_ID_TOKEN: idToken } })
    expect(refused).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('AUTHCONN_ID_TOKEN is set without AUTHCONN_URL'),
    })
    expect(requests).toHaveLength(4)
  })

  test('is exchanged once by a command that asks several times', async () => {
    const { url, requests } = await fakeVault({
      ...handlers,
      listCallers: () => ({ callers: [caller()], next: null }),
      revokeCaller: () => caller(),
    })
    await run(['callers', 'revoke', 'ci'], { env: { AUTHCONN_URL: url, AUTHCONN_ID_TOKEN: idToken } })
    expect(requests.map(({ operation }) => operation)).toEqual(['exchangeToken', 'listCallers', 'revokeCaller'])
  })

  test('is exchanged once, too, where it is looked up what was probably meant', async () => {
    const { url, requests } = await fakeVault({
      ...handlers,
      getToken() {
        throw new Problem('connection_not_found', 'There is no such connection')
      },
    })
    await run(['token', 'gogle'], { env: { AUTHCONN_URL: url, AUTHCONN_ID_TOKEN: idToken } })
    expect(requests.map(({ operation }) => operation)).toEqual(['exchangeToken', 'getToken', 'listConnections'])
  })
})

test('is exchanged once by doctor, for which a token that is taken once has to do', async () => {
  let taken = false
  const { url } = await fakeVault({
    ...handlers,
    exchangeToken() {
      if (taken) throw new Problem('identity_refused', 'The vault does not take this token')
      taken = true
      return issuedKey()
    },
    getHealth: () => ({ status: 'ok' }),
    getReadiness: () => ({ status: 'ok' }),
    getSelf: () => ({ ...caller(), workspace: 'acme' }),
  })
  const env = { AUTHCONN_URL: url, AUTHCONN_ID_TOKEN: jwt({ aud: url }) }
  const { exitCode, stdout } = await run(['doctor', '--port', String(await freePort())], { env })
  expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.not.stringContaining('FAILED') })
})

describe('an identity that cannot be used', () => {
  test('is told with what was sent, and without the token', async () => {
    const { url } = await fakeVault({
      exchangeToken() {
        throw new Problem('identity_refused', 'The vault does not take this token')
      },
    })
    const env = { AUTHCONN_URL: url, AUTHCONN_ID_TOKEN: idToken, AUTHCONN_DEBUG: '1' }
    const { exitCode, stdout, stderr } = await run(['token', 'a'], { env })
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' })
    expect(stderr).toMatch(/\[identity_refused\]\n {2}Sent was a token/)
    expect(stderr).toContain('[identity_refused]')
    // The title once, and not again as the detail.
    expect(stderr.match(/does not take this token/g)).toHaveLength(1)
    expect(stderr).toContain('iss "https://ci.example", aud "vault", sub "job-1"')
    expect(stderr).not.toContain('canary')
  })

  test.each<[Record<string, string>, string]>([
    [{ GITHUB_ACTIONS: 'true' }, 'permissions: id-token: write'],
    [{ GITLAB_CI: 'true' }, 'id_tokens: AUTHCONN_ID_TOKEN: aud: https://vault.invalid'],
    [{ KUBERNETES_SERVICE_HOST: '10.0.0.1' }, 'AUTHCONN_ID_TOKEN_FILE'],
  ])('that is not there with %j is told with %j', async (env, words) => {
    const { exitCode, stderr } = await run(['list'], { env: { ...env, AUTHCONN_URL: 'https://vault.invalid' } })
    expect(exitCode).toBe(3)
    expect(stderr).toContain('[unauthenticated]')
    expect(stderr).toContain('neither AUTHCONN_ID_TOKEN nor AUTHCONN_ID_TOKEN_FILE is set')
    expect(stderr).toContain(words)
  })

  test.each([
    ['that is not there', 'missing', 'AUTHCONN_ID_TOKEN_FILE cannot be read: '],
    ['that is empty', 'empty', 'AUTHCONN_ID_TOKEN_FILE names an empty file: '],
  ])('in a file %s is told with the variable', async (_, name, words) => {
    const directory = await mkdtemp(join(tmpdir(), 'authconn-cli-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    await writeFile(join(directory, 'empty'), '\n')
    const env = { AUTHCONN_URL: 'https://vault.invalid', AUTHCONN_ID_TOKEN_FILE: join(directory, name) }
    const { exitCode, stderr } = await run(['token', 'google-oauth'], { env })
    expect(exitCode).toBe(7)
    expect(stderr).toContain('[identity_token_unavailable]')
    expect(stderr).toContain(words)
  })

  test('without an address is told with the variable that is missing', async () => {
    const { exitCode, stderr } = await run(['list'], { env: { AUTHCONN_ID_TOKEN: idToken } })
    expect(exitCode).toBe(2)
    expect(stderr).toContain('AUTHCONN_ID_TOKEN is set, but not AUTHCONN_URL')
  })
})

test('a proxy that runs longer than a key lives goes on with the next one', async () => {
  let given = 0
  const { url, requests } = await fakeVault({
    ...handlers,
    exchangeToken: () => issuedKey({ access_token: `ack_issued-${++given}`, expires_in: 1 }),
  })
  const upstream = createServer((_request, response) => response.end('welcome'))
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void upstream.close())
  const address = upstream.address()
  const at = `http://127.0.0.1:${typeof address === 'object' ? address?.port : undefined}`
  const env = { AUTHCONN_URL: url, AUTHCONN_ID_TOKEN: idToken }
  const proxy = begin(['proxy', 'google', '--upstream', at, '--port', '0', '--json'], { env })
  await expect.poll(() => proxy.stderr(), { timeout: 10_000 }).toContain('"url"')
  const { url: local }: { url: string } = JSON.parse(proxy.stderr())
  await setTimeout(1050)
  expect(await httpGet(local, '/')).toMatchObject({ status: 200, body: 'welcome' })
  const fetches = requests.filter(({ operation }) => operation === 'getToken')
  expect(fetches.map(({ apiKey }) => apiKey)).toEqual(['ack_issued-1', 'ack_issued-2'])
  proxy.interrupt()
  await proxy.exitCode
})

test.each(['ACTIONS_ID_TOKEN_REQUEST_TOKEN', 'AUTHCONN_ID_TOKEN'])('no function is given %s', async (name) => {
  const file = fileURLToPath(import.meta.url)
  expect(await run(['function', 'run', file, '--env', name])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('what reaches the vault'),
  })
})

describe('doctor judges an OIDC token', () => {
  const now = new Date('2026-01-01T00:00:00.000Z')
  const exp = now.getTime() / 1000
  const judge = (given: string) => judgeToken(given, { from: 'AUTHCONN_ID_TOKEN' }, 'https://vault', now)

  test.each<[object, string, string]>([
    [{ aud: 'https://vault', exp: exp + 300 }, 'ok', 'it ends in 5 min'],
    [{ aud: ['a', 'https://vault'] }, 'ok', 'iss none'],
    [{ aud: 'a', exp: exp + 300 }, 'warning', 'it is not for https://vault'],
    [{ aud: 'https://vault', exp: exp - 1 }, 'failed', 'it ended at 2025-12-31T23:59:59.000Z'],
  ])('%j: %s', (claims, status, words) => {
    expect(judge(jwt(claims))).toMatchObject({ status, detail: expect.stringContaining(words) })
    expect(judge(jwt(claims)).detail).not.toContain('canary')
  })

  test('that is none', () => {
    expect(judge('ak_canary')).toMatchObject({ status: 'failed', detail: expect.not.stringContaining('canary') })
  })
})

describe('a profile that somebody logged in to', () => {
  test('is used until its key ends, and then says to log in again without asking the vault', async () => {
    const { url, requests } = await fakeVault(handlers)
    const login = { trust: 'staff', expiresAt: new Date(Date.now() + 60_000).toISOString() }
    expect((await run(['list'], { env: await withProfile(url, login) })).exitCode).toBe(0)
    const ended = { ...login, expiresAt: '2026-01-01T00:00:00.000Z' }
    const refused = await run(['list'], { env: await withProfile(url, ended) })
    expect(refused).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('[login_expired]') })
    expect(refused.stderr).toContain('authconn login --oidc --profile prod')
    expect(requests).toHaveLength(1)
    const listed = await run(['profiles', 'list'], { env: await withProfile(url, ended) })
    expect(listed.stdout).toMatch(/^\* {2}prod .* file +ended$/m)
  })
})

describe('login --oidc', () => {
  const login = (name: string, issuer = 'https://id.invalid', vaultUrl?: string) => ({
    ...{ trust: name, issuer, client_id: 'cli', scopes: ['openid'], vault_url: vaultUrl },
  })
  const at = async (logins: ReturnType<typeof login>[], ...flags: string[]) => {
    const { url } = await fakeVault({
      listLogins: () => ({ logins: logins.map((each) => ({ ...each, vault_url: each.vault_url ?? url })) }),
    })
    return run(['login', '--oidc', '--vault-url', url, '--port', '0', '--no-browser', ...flags])
  }

  test('has to be told which of several', async () => {
    expect(await at([login('a'), login('b')])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('say which by --trust (a, b)'),
    })
  })

  test('goes to no provider for a vault that people know by another URL', async () => {
    const refused = await at([login('staff', 'https://id.invalid', 'https://vault.example.com')])
    expect(refused).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('[login_unavailable]') })
    expect(refused.stderr).toContain('as https://vault.example.com, and not as http://127.0.0.1')
    expect(refused.stderr).toContain('--login-url http://127.0.0.1')
  })

  test('obtains a token for the URL that the person gave, in one spelling of it', () => {
    // By hand: printf '%s' secrethttps://vault.example/a | openssl dgst -sha256 -binary | basenc --base64url
    const nonce = 'JtkfDe_joo-Vf1J47Fmioxv8mq6UHCTZBm0GAv_F5dQ'
    for (const url of ['https://vault.example/a', 'https://VAULT.example:443/a/']) {
      expect(loginNonce('secret', url)).toBe(nonce)
      expect(nonceAtTheVault('secret', url)).toBe(nonce)
    }
    expect(loginNonce('secret', 'https://vault.example')).not.toBe(nonce)
  })

  test('tells a provider that is not there', async () => {
    const issuer = `http://127.0.0.1:${await freePort()}`
    expect(await at([login('a'), login('b', issuer)], '--trust', 'b')).toMatchObject({
      exitCode: 7,
      stderr: expect.stringMatching(/\[provider_unavailable\]\n {2}http:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED/),
    })
  })

  test('tells a vault that knows no such thing', async () => {
    const { url } = await fakeVault({})
    expect(await run(['login', '--oidc', '--vault-url', url])).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('[login_unavailable]'),
    })
  })

  test.each([
    ['--trust', 'staff'],
    ['--workspace', 'acme'],
    ['--port', '8081'],
    ['--no-browser'],
    ['--client-secret-file', 'secret'],
  ])('has the flag %s, and login by a key has not', async (...flags) => {
    const { exitCode, stderr } = await run(['login', '--vault-url', 'https://vault.invalid', ...flags])
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('goes with --oidc'),
    })
  })
})
