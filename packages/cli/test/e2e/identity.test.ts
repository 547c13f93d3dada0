import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { browse } from '@authconn/sandbox'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Actions, startActions } from './support/actions.ts'
import { authorized } from './support/authorized.ts'
import { cliPath, startChild } from './support/child.ts'
import { freePort } from './support/free-port.ts'
import { useWorld } from './support/world.ts'

const secretClient = { client_id: 'sandbox-client', client_secret: 'not-so-secret' }
const publicClient = { client_id: 'authconn-cli', client_secret: '', public: true as const }
const { current } = useWorld({ clients: [secretClient, publicClient] })

let actions: Actions
let home: string
beforeAll(async () => {
  actions = await startActions()
  home = await mkdtemp(join(tmpdir(), 'authconn-job-'))
  await authorized(current(), 'google-oauth')
})
beforeEach(() => void Object.assign(actions, { changes: {}, asked: 0 }))
afterAll(async () => {
  await actions.stop()
  await rm(home, { recursive: true })
})

/** The command line on another machine than that of the vault: it has what it is given, and no more. */
async function elsewhere(args: readonly string[], env: Record<string, string>) {
  const child = startChild(cliPath, args, { HOME: home, AUTHCONN_URL: current().url, ...env })
  child.process.stdin?.end()
  const { exitCode } = await child.ended
  return { exitCode, stdout: child.stdout(), stderr: child.stderr() }
}

const job = (...args: string[]) => elsewhere(args, actions.env)

async function makeTrust(name: string, ...flags: string[]) {
  const made = await current().authconn(['trusts', 'create', name, ...flags])
  expect(made).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`Created ${name}.`) })
  return made
}

async function exchanges() {
  const { records } = await current().vault.call('listAudit', { query: { limit: 100 } })
  return records.filter(({ action }) => action === 'exchangeToken')
}

describe('a job of GitHub Actions', () => {
  beforeAll(async () => {
    const flags = ['--issuer', actions.issuer.url, '--repository-id', '456789', '--environment', 'production']
    const { stderr } = await makeTrust('deploy', '--preset', 'github', ...flags, '--connection', 'google-*')
    expect(stderr).toContain('permissions: id-token: write')
    expect(stderr).toContain('give that as --audience')
  })

  test('gets a token without a stored key, by one exchange', async () => {
    const before = (await exchanges()).length
    const token = await job('token', 'google-oauth')
    expect(token).toEqual({ exitCode: 0, stdout: expect.stringMatching(/^\S{20,}\n$/), stderr: '' })
    expect(actions.asked).toBe(1)
    const made = await exchanges()
    expect(made.length - before).toBe(1)
    expect(made[0]).toMatchObject({ outcome: 'allowed', actor_name: 'trust:deploy', target: 'deploy' })
  })

  test('is told what was sent when it is refused, and the audit log says why', async () => {
    actions.changes = { repository_id: '1' }
    const refused = await job('token', 'google-oauth')
    expect(refused).toMatchObject({ exitCode: 3, stdout: '' })
    expect(refused.stderr).toContain('[identity_refused]')
    expect(refused.stderr).toContain('sub "repo:octo-org/octo-repo:environment:production"')
    expect(refused.stderr).not.toContain('canary')
    const audit = await current().authconn(['audit', 'list', '--limit', '1', '--outcome', 'denied'])
    expect(audit.stdout).toContain('claim repository_id')
  })

  test('may do what the trust says and no more', async () => {
    expect(await job('list')).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('[permission_denied]'),
    })
    const who = await job('whoami', '--json')
    expect(JSON.parse(who.stdout)).toMatchObject({
      name: 'trust:deploy',
      trust: 'deploy',
      identity: 'repo:octo-org/octo-repo:environment:production',
      permissions: ['token:read'],
      vault: { from: 'AUTHCONN_URL', key_from: expect.stringContaining('this job of GitHub Actions') },
    })
  })

  test('runs a program with a token, and without its identity unless that is wanted', async () => {
    const print =
      'console.log(Object.keys(process.env).filter((n) => /^(AUTHCONN|ACTIONS|T$)/.test(n)).sort().join())'
    const command = ['--token', 'T=google-oauth', '--', process.execPath, '-e', print]
    expect(await job('run', ...command)).toMatchObject({ exitCode: 0, stdout: 'T\n' })
    expect(await job('run', '--keep-identity', ...command)).toMatchObject({
      exitCode: 0,
      stdout: 'ACTIONS_ID_TOKEN_REQUEST_TOKEN,ACTIONS_ID_TOKEN_REQUEST_URL,T\n',
    })
  })

  test('runs a function that asks twice, by one exchange, and without the identity itself', async () => {
    const file = join(home, 'function.mjs')
    await writeFile(
      file,
      `export default async () => {
        const ask = () => authconn.getConnectionToken('google-oauth')
        const [a, b] = [await ask(), await ask()]
        return [a.version, b.version, process.env.ACTIONS_ID_TOKEN_REQUEST_URL ?? null]
      }`,
    )
    const ran = await job('function', 'run', file, '--json')
    expect(ran).toMatchObject({ exitCode: 0 })
    expect(JSON.parse(ran.stdout)).toEqual([1, 1, null])
    expect(actions.asked).toBe(1)
  })

  test('is looked at by doctor', async () => {
    const { stdout } = await job('doctor', '--port', String(await freePort()))
    expect(stdout).toMatch(/^ok {6}identity: a token with iss "http:\/\/127/m)
    expect(stdout).toMatch(
      /^ok {6}API key: trust:deploy in the workspace default may token:read; it ends in 14 min$/m,
    )
  })

  test('is refused from the next request on when the trust is revoked', async () => {
    expect((await current().authconn(['trusts', 'revoke', 'deploy'])).exitCode).toBe(0)
    expect((await job('token', 'google-oauth')).exitCode).toBe(3)
  })
})

test('a pod shows the token in its file, which the platform replaces', async () => {
  const { issuer } = actions
  const flags = [
    '--issuer',
    issuer.url,
    '--audience',
    'the-vault',
    '--namespace',
    'shop',
    '--service-account',
    'web',
  ]
  await makeTrust('web', '--preset', 'kubernetes', ...flags, '--connection', 'google-*')
  const file = join(home, 'token')
  const claims = (serviceaccount: string) => ({
    ...issuer.githubClaims({
      aud: ['the-vault'],
      sub: `system:serviceaccount:shop:${serviceaccount}`,
      jti: undefined,
    }),
    'kubernetes.io': { namespace: 'shop', serviceaccount: { name: serviceaccount, uid: 'u-1' } },
  })
  const env = { AUTHCONN_ID_TOKEN_FILE: file, KUBERNETES_SERVICE_HOST: '10.0.0.1' }
  await writeFile(file, `${issuer.sign(claims('web'))}\n`)
  // The same token as long as it is there.
  for (const _ of [1, 2]) expect((await elsewhere(['token', 'google-oauth'], env)).exitCode).toBe(0)
  await writeFile(file, issuer.sign(claims('other')))
  expect((await elsewhere(['token', 'google-oauth'], env)).exitCode).toBe(3)
})

describe('login --oidc', () => {
  beforeAll(async () => {
    const flags = ['--issuer', current().sandbox.issuer, '--client-id', publicClient.client_id]
    const { stderr } = await makeTrust(
      'staff',
      '--preset',
      'people',
      ...flags,
      '--email-domain',
      'example.com',
      '--allow',
      'connection:read,token:read',
    )
    expect(stderr).toContain('Next: authconn login --oidc --vault-url')
  })

  /** `authconn login --oidc`, waiting for the browser. */
  async function begin(...flags: string[]) {
    const argv = ['login', '--oidc', '--port', '0', '--no-browser', '--store', 'file', '--json', ...flags]
    const child = startChild(cliPath, argv, { HOME: home, AUTHCONN_URL: current().url })
    await vi.waitFor(() => expect(child.stderr()).toContain('authorization_url'), { timeout: 15_000 })
    const notices = child.stderr().trimEnd().split('\n')
    const notice: { authorization_url: string } = JSON.parse(
      notices.find((line) => line.includes('authorization_url')) ?? '',
    )
    return { child, url: notice.authorization_url }
  }

  const profile = (...args: string[]) => elsewhere(args, { AUTHCONN_URL: '', AUTHCONN_PROFILE: 'default' })

  test('logs a person in by the browser, for some hours', async () => {
    const { child, url } = await begin()
    const asked = new URL(url).searchParams
    expect(asked.get('code_challenge_method')).toBe('S256')
    expect(asked.get('nonce')).toHaveLength(43)
    expect(asked.get('client_id')).toBe('authconn-cli')
    const { page } = await browse(url, { followCallback: true })
    expect(page).toMatchObject({ status: 200, text: expect.stringContaining('Logged in') })
    expect(await child.ended).toEqual({ exitCode: 0, signal: null })
    const result = JSON.parse(child.stdout())
    expect(result).toMatchObject({
      profile: 'default',
      caller: 'trust:staff',
      workspace: 'default',
      key_in: 'file',
    })
    expect(Date.parse(result.expires_at) - Date.now()).toBeGreaterThan(7 * 3600_000)

    const who = await profile('whoami')
    expect(who.stdout).toMatch(/^ {2}identity +alice$/m)
    expect(who.stdout).toMatch(/^ {2}expires +\S+Z \(7 h 5\d min\)$/m)
    expect((await profile('list')).stdout).toContain('google-oauth')
    const kept: unknown = JSON.parse(await readFile(result.file, 'utf8'))
    expect(kept).toMatchObject({ trust: 'staff', expires_at: result.expires_at })
    expect(child.stdout() + child.stderr()).not.toContain(Reflect.get(Object(kept), 'api_key'))
  })

  test('says to log in again when the login has ended', async () => {
    const file = join(home, '.config/authconn/profiles/default.json')
    const kept = JSON.parse(await readFile(file, 'utf8'))
    await writeFile(file, JSON.stringify({ ...kept, expires_at: '2026-01-01T00:00:00.000Z' }))
    expect(await profile('list')).toMatchObject({
      exitCode: 3,
      stderr: expect.stringMatching(/\[login_expired\][\s\S]*authconn login --oidc --profile default/),
    })
    await writeFile(file, JSON.stringify(kept))
  })

  test('is ended in the vault at logout, and nobody can go on with its key', async () => {
    const { child, url } = await begin('--profile', 'left')
    await browse(url, { followCallback: true })
    await child.ended
    const file = join(home, '.config/authconn/profiles/left.json')
    const { api_key: key } = JSON.parse(await readFile(file, 'utf8'))
    const withKey = () => elsewhere(['list'], { AUTHCONN_API_KEY: key })
    expect((await withKey()).exitCode).toBe(0)
    const left = await elsewhere(['logout', '--profile', 'left'], {})
    expect(left).toMatchObject({ exitCode: 0, stdout: 'Logged out of left.\n', stderr: '' })
    expect(await withKey()).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('[invalid_api_key]') })
  })

  test('keeps nothing of somebody whom the trust does not let in, and tells the browser too', async () => {
    const { child, url } = await begin('--profile', 'other')
    const { page } = await browse(url, { login: 'mallory@elsewhere.example', followCallback: true })
    expect(page).toMatchObject({ status: 400 })
    expect((await child.ended).exitCode).toBe(3)
    expect(child.stderr()).toContain('identity_refused')
    expect(await readdir(join(home, '.config/authconn/profiles'))).toEqual(['default.json'])
  })

  test('ends where the person does not consent', async () => {
    const { child, url } = await begin('--profile', 'other')
    await browse(url, { consent: 'deny', followCallback: true })
    expect((await child.ended).exitCode).toBe(8)
    expect(child.stderr()).toContain('login_failed')
    expect(child.stderr()).toContain('access_denied')
  })

  test('is over when the trust is revoked', async () => {
    expect((await current().authconn(['trusts', 'revoke', 'staff'])).exitCode).toBe(0)
    expect(await profile('list')).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('[invalid_api_key]'),
    })
  })
})
