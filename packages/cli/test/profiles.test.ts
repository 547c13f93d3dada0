import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Keychain } from '../src/profiles/keychain.ts'
import { createProfileStore } from '../src/profiles/profile-store.ts'
import { fakeVault, type Handlers, Problem } from './support/fake-vault.ts'
import { localVault } from './support/local-vault.ts'
import { type RunOptions, run } from './support/run.ts'
import { caller } from './support/samples.ts'

/** A vault that takes one key, and a place for profiles; `run` gives the command line that place. */
async function world(key = 'ack_right') {
  const directory = await mkdtemp(join(tmpdir(), 'authconn-cli-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const answer: Pick<Handlers, 'revokeSelf'> = {}
  const vault = await fakeVault({
    revokeSelf(asked) {
      if (answer.revokeSelf === undefined) throw new Problem('not_found', 'not in this test')
      return answer.revokeSelf(asked)
    },
    getSelf({ apiKey }) {
      if (apiKey !== key) throw new Problem('invalid_api_key', 'no such key')
      return { ...caller({ name: 'dev' }), workspace: 'acme' }
    },
    listConnections: () => ({ connections: [], next: null }),
  })
  const env = { AUTHCONN_CONFIG_DIR: directory }
  const authconn = (argv: string[], options: RunOptions = {}) =>
    run(argv, { ...options, env: { ...env, ...options.env } })
  const login = (name: string, options: RunOptions = {}, ...flags: string[]) =>
    authconn(['login', '--profile', name, '--vault-url', vault.url, ...flags], { stdin: `${key}\n`, ...options })
  const file = (name: string) => join(directory, 'profiles', `${name}.json`)
  return { vault, answer, directory, env, authconn, login, file, key }
}

function memoryKeychain(): Keychain & { kept: Map<string, string> } {
  const kept = new Map<string, string>()
  return {
    kept,
    find: async (account) => kept.get(account),
    keep: async (account, secret) => void kept.set(account, secret),
    forget: async (account) => void kept.delete(account),
  }
}

describe('login', () => {
  test('keeps the key of standard input in a file of mode 0600 where there is no keychain, and says so', async () => {
    const { login, file, vault, key } = await world()
    const { exitCode, stdout, stderr } = await login('prod')
    expect(exitCode).toBe(0)
    expect(stdout).toContain(`Logged in to ${vault.url} as dev in the workspace acme.`)
    expect(stdout).toContain(`its key is in ${file('prod')}`)
    expect(stderr).toContain('There is no keychain that can be used')
    expect(stdout + stderr).not.toContain(key)
    expect(JSON.parse(await readFile(file('prod'), 'utf8'))).toMatchObject({ url: vault.url, api_key: key })
    if (process.platform !== 'win32') expect((await stat(file('prod'))).mode & 0o777).toBe(0o600)
  })

  test('keeps it in the keychain where there is one, and not in the file', async () => {
    const { login, file, vault, key, authconn } = await world()
    const keychain = memoryKeychain()
    expect(await login('prod', { keychain })).toMatchObject({ exitCode: 0, stderr: '' })
    expect(await readFile(file('prod'), 'utf8')).not.toContain(key)
    expect([...keychain.kept]).toEqual([[`prod ${vault.url}`, key]])
    expect(await authconn(['list'], { keychain })).toMatchObject({ exitCode: 0 })
    expect(vault.requests.at(-1)?.apiKey).toBe(key)
  })

  test('sends a key to no vault of two that may be meant, by AUTHCONN_URL and by the profile', async () => {
    const [first, second] = [await world(), await world('ack_second')]
    await first.login('default')
    const asked = first.vault.requests.length
    const env = { AUTHCONN_URL: second.vault.url }
    const refused = await first.authconn(['login'], { env, stdin: second.key })
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(`for ${first.vault.url}`) })
    expect(refused.stderr).toContain(second.vault.url)
    expect([first.vault.requests.length, second.vault.requests.length]).toEqual([asked, 0])
    // A profile that is named is meant, and so is a vault.
    const named = await first.authconn(['login', '--profile', 'default'], { env, stdin: first.key })
    expect(named).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(first.vault.url) })
    const other = await first.authconn(['login', '--vault-url', second.vault.url], { env, stdin: second.key })
    expect(other).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(second.vault.url) })
  })

  test('that insists on a keychain fails without one, and keeps nothing', async () => {
    const { login, directory } = await world()
    expect(await login('prod', {}, '--store', 'keychain')).toMatchObject({
      exitCode: 5,
      stderr: expect.stringContaining('[keychain_unavailable]'),
    })
    expect(await readdir(directory)).toEqual([])
  })

  test('keeps nothing of a key that the vault does not accept', async () => {
    const { login, directory } = await world()
    const refused = await login('prod', { stdin: 'ack_wrong' })
    expect(refused).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('[invalid_api_key]') })
    expect(refused.stderr).not.toContain('ack_wrong')
    expect(await readdir(directory)).toEqual([])
  })

  test('again needs no address, and leaves no former key behind', async () => {
    const { login, authconn, file, key } = await world()
    const keychain = memoryKeychain()
    await login('prod', { keychain })
    expect(
      (await authconn(['login', '--profile', 'prod', '--store', 'file'], { keychain, stdin: key })).exitCode,
    ).toBe(0)
    expect(keychain.kept.size).toBe(0)
    expect(await readFile(file('prod'), 'utf8')).toContain(key)
  })

  test('writes a damaged profile anew, and says so', async () => {
    const { login, authconn, file, key } = await world()
    await login('prod')
    await writeFile(file('prod'), '{"api_key":"ack_canary"', { mode: 0o600 })
    const { exitCode, stderr } = await login('prod')
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('written anew') })
    expect(stderr).not.toContain('canary')
    expect(await readFile(file('prod'), 'utf8')).toContain(key)
    expect((await authconn(['list'])).exitCode).toBe(0)
  })

  test('goes on where the former key is in a keychain that cannot be reached, and warns', async () => {
    const { login, authconn, file, vault, key } = await world()
    await login('prod', { keychain: memoryKeychain() })
    const { exitCode, stderr } = await login('prod', {}, '--store', 'file')
    expect(exitCode).toBe(0)
    expect(stderr).toContain(`The former key of the profile prod for ${vault.url} could not be removed`)
    expect(await readFile(file('prod'), 'utf8')).toContain(key)
    expect((await authconn(['profiles', 'list'])).stdout).toMatch(/^\* {2}prod /m)
  })

  test.each([
    [['login'], '', 'The URL of the vault is missing'],
    [['login', '--vault-url', 'http://192.0.2.1'], 'ack_right', 'plain http'],
    [['login', '--vault-url', 'https://vault.invalid'], '', 'it is empty'],
    [['login', '--vault-url', 'https://vault.invalid', '--profile', '../x'], 'ack_right', 'lowercase letters'],
    [['login', '--vault-url', 'https://vault.invalid', '--profile', 'local'], 'ack_right', 'needs no login'],
  ])('%j with %j is a usage error', async (argv, stdin, words) => {
    const { authconn } = await world()
    const { exitCode, stderr } = await authconn(argv, { stdin })
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(words) })
  })

  test('warns where the environment stands in the way of what was kept', async () => {
    const { login } = await world()
    const { stderr } = await login('prod', { env: { AUTHCONN_API_KEY: 'ack_other' } })
    expect(stderr).toContain('AUTHCONN_API_KEY in the environment stands in the way of the profile')
  })
})

describe('the vault is, in this order,', () => {
  /** Three vaults that tell which key they were asked with. */
  async function three() {
    const { authconn, directory } = await world()
    const made = async (name: string) => {
      const vault = await fakeVault({ getSelf: () => ({ ...caller(), workspace: name }) })
      const argv = ['login', '--profile', name, '--vault-url', vault.url]
      expect((await authconn(argv, { stdin: `ack_${name}` })).exitCode).toBe(0)
      return vault
    }
    const [first, second] = [await made('first'), await made('second')]
    const local = await localVault({ getSelf: () => ({ ...caller(), workspace: 'on-this-machine' }) })
    const whoami = async (flags: string[], env: Record<string, string> = {}) => {
      const ran = await authconn(['whoami', '--json', ...flags], { env })
      return ran.exitCode === 0 ? JSON.parse(ran.stdout) : ran.stderr
    }
    return { first, second, local, whoami, authconn, directory }
  }

  test('that of --profile, with its own key and no other', async () => {
    const { first, second, whoami } = await three()
    const env = { AUTHCONN_URL: second.url, AUTHCONN_API_KEY: 'ack_env', AUTHCONN_PROFILE: 'second' }
    expect(await whoami(['--profile', 'first'], env)).toMatchObject({
      workspace: 'first',
      vault: { from: 'the profile first (--profile)' },
    })
    expect(first.requests.at(-1)?.apiKey).toBe('ack_first')
  })

  test('that of --vault-url, then of AUTHCONN_URL, with the key of the environment', async () => {
    const { first, second, whoami } = await three()
    const env = { AUTHCONN_URL: second.url, AUTHCONN_API_KEY: 'ack_env', AUTHCONN_PROFILE: 'first' }
    expect(await whoami(['--vault-url', first.url], env)).toMatchObject({ vault: { from: '--vault-url' } })
    expect(await whoami([], env)).toMatchObject({
      workspace: 'second',
      vault: { from: 'AUTHCONN_URL', key_from: 'AUTHCONN_API_KEY' },
    })
    expect(second.requests.at(-1)?.apiKey).toBe('ack_env')
  })

  test('that of AUTHCONN_PROFILE, where AUTHCONN_API_KEY replaces its key', async () => {
    const { first, whoami } = await three()
    expect(await whoami([], { AUTHCONN_PROFILE: 'first' })).toMatchObject({ workspace: 'first' })
    expect(first.requests.at(-1)?.apiKey).toBe('ack_first')
    expect(await whoami([], { AUTHCONN_PROFILE: 'first', AUTHCONN_API_KEY: 'ack_env' })).toMatchObject({
      vault: { key_from: 'AUTHCONN_API_KEY' },
    })
    expect(first.requests.at(-1)?.apiKey).toBe('ack_env')
  })

  test('the one on this machine whose data AUTHCONN_DATA_DIR names, before the current profile', async () => {
    const { whoami, local, first } = await three()
    expect(await whoami([], local.env)).toMatchObject({
      workspace: 'on-this-machine',
      vault: { key_from: local.file },
    })
    const named = { ...local.env, AUTHCONN_PROFILE: 'first' }
    expect(await whoami([], named)).toMatchObject({ workspace: 'first', vault: { url: first.url } })
  })

  test('that of the current profile, which the last login made, or profiles use', async () => {
    const { whoami, authconn } = await three()
    expect(await whoami([])).toMatchObject({ workspace: 'second' })
    expect((await authconn(['profiles', 'use', 'first'])).stdout).toBe('The current profile is first.\n')
    expect(await whoami([])).toMatchObject({
      workspace: 'first',
      vault: { from: 'the profile first (the current one)' },
    })
  })

  test.each(['AUTHCONN_API_KEY', 'AUTHCONN_API_KEY_FILE'])(
    'not the current profile for %s alone, which is for a vault that nobody named',
    async (name) => {
      const { first, second, whoami, authconn, directory } = await three()
      const file = join(directory, 'key')
      await writeFile(file, 'ack_env', { mode: 0o600 })
      const env = { [name]: name === 'AUTHCONN_API_KEY' ? 'ack_env' : file }
      const sent = () => [...first.requests, ...second.requests].filter(({ apiKey }) => apiKey === 'ack_env')
      const refused = await authconn(['whoami'], { env })
      expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('[usage]') })
      expect(refused.stderr).toContain(`${name} is set without AUTHCONN_URL`)
      expect(refused.stderr).toContain('AUTHCONN_PROFILE=second')
      expect(sent()).toEqual([])
      expect(await whoami([], { ...env, AUTHCONN_PROFILE: 'second' })).toMatchObject({ workspace: 'second' })
      expect(sent()).toHaveLength(1)
      expect(await whoami(['--profile', 'second'], env)).toMatchObject({ workspace: 'second' })
      expect(sent()).toHaveLength(1)
    },
  )

  test('the one on this machine for AUTHCONN_API_KEY alone, where there is no profile', async () => {
    const { local, whoami, authconn, directory } = await three()
    await authconn(['logout', '--all'])
    await symlink(local.env.AUTHCONN_DATA_DIR, join(directory, 'authconn'), 'junction')
    const env = { XDG_DATA_HOME: directory, LOCALAPPDATA: directory }
    expect(await whoami([], { ...env, AUTHCONN_API_KEY: 'ack_env' })).toMatchObject({
      vault: { from: 'this machine', key_from: 'AUTHCONN_API_KEY' },
    })
    expect(local.asked().at(-1)?.apiKey).toBe('ack_env')
  })

  test('the one on this machine, which --profile local names as well', async () => {
    const { whoami, authconn, local } = await three()
    const env = { ...local.env, AUTHCONN_PROFILE: 'first', AUTHCONN_API_KEY: 'ack_env' }
    expect(await whoami(['--profile', 'local'], env)).toMatchObject({
      workspace: 'on-this-machine',
    })
    expect(local.asked().at(-1)?.apiKey).toBe('ak_local')
    await authconn(['logout', '--all'])
    expect(await whoami([], local.env)).toMatchObject({ vault: { from: 'this machine', key_from: local.file } })
  })

  test('not two at once', async () => {
    const { whoami, first } = await three()
    expect(await whoami(['--profile', 'first', '--vault-url', first.url])).toContain('leave out --vault-url')
  })

  test('not one that nobody has logged in to, and the one that was meant is told', async () => {
    const { whoami } = await three()
    expect(await whoami(['--profile', 'frist'])).toContain('There is no profile frist. Did you mean first?')
    expect(await whoami([], { AUTHCONN_PROFILE: 'third-one' })).toContain('There are: first, second.')
  })
})

describe('a profile', () => {
  test.skipIf(process.platform === 'win32')('that others can read is refused', async () => {
    const { login, authconn, file, key } = await world()
    await login('prod')
    await chmod(file('prod'), 0o644)
    const { exitCode, stderr } = await authconn(['list'])
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 5,
      stderr: expect.stringContaining('[key_file_unsafe]'),
    })
    expect(stderr).not.toContain(key)
  })

  test('that is damaged is told, and its content is not', async () => {
    const { login, authconn, file } = await world()
    await login('prod')
    for (const content of ['ack_canary', '{"api_key":"ack_canary"}', '{"url":"x","workspace":"w","caller":"c"}']) {
      await writeFile(file('prod'), content)
      const { exitCode, stderr } = await authconn(['list'])
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('is damaged') })
      expect(stderr).not.toContain('canary')
    }
  })

  test('whose file was turned to another vault finds no key for it in the keychain', async () => {
    const { login, authconn, file, vault } = await world()
    const keychain = memoryKeychain()
    await login('prod', { keychain })
    const other = await fakeVault({ listConnections: () => ({ connections: [], next: null }) })
    await writeFile(file('prod'), (await readFile(file('prod'), 'utf8')).replace(vault.url, other.url))
    expect((await authconn(['list'], { keychain })).stderr).toContain('holds no API key for the profile prod')
    expect(other.requests).toEqual([])
  })

  test('is listed with where its key is, and never with the key', async () => {
    const { login, authconn, key } = await world()
    await login('prod')
    await login('dev', { keychain: memoryKeychain() })
    const { stdout } = await authconn(['profiles', 'list'])
    expect(stdout).toMatch(/^\* {2}dev +http\S+ +acme +dev +keychain$/m)
    expect(stdout).toMatch(/^ {3}prod .* file$/m)
    expect(stdout + (await authconn(['profiles', 'list', '--json'])).stdout).not.toContain(key)
  })
})

describe('logout', () => {
  test('forgets profile and key, and the commands after it have none', async () => {
    const { login, authconn, file } = await world()
    const keychain = memoryKeychain()
    await login('prod', { keychain })
    expect(await authconn(['logout'], { keychain })).toMatchObject({
      exitCode: 0,
      stdout: 'Logged out of prod.\n',
    })
    expect(keychain.kept.size).toBe(0)
    await expect(stat(file('prod'))).rejects.toThrow('ENOENT')
    expect((await authconn(['list'])).stderr).toContain('[vault_not_configured]')
    expect((await authconn(['logout'])).stderr).toContain('There is no current profile')
  })

  test('keeps a profile whose key may still be in the keychain', async () => {
    const { login, authconn, file } = await world()
    await login('prod', { keychain: memoryKeychain() })
    expect((await authconn(['logout'])).exitCode).toBe(5)
    expect(await readFile(file('prod'), 'utf8')).toContain('keychain')
  })

  test('of one of several leaves the current one as it is', async () => {
    const { login, authconn } = await world()
    await login('prod')
    await login('dev')
    expect((await authconn(['logout', '--profile', 'prod'])).exitCode).toBe(0)
    expect((await authconn(['whoami'])).stdout).toContain('the profile dev (the current one)')
  })
})

describe('the key of a login by OpenID Connect', () => {
  /** A profile with such a login, beside one that holds a key of another kind. */
  async function loggedIn(expiresAt = new Date(Date.now() + 3600_000).toISOString()) {
    const own = await world()
    const store = createProfileStore(own.env)
    const kept = { url: own.vault.url, workspace: 'acme', caller: 'trust:staff' }
    await store.save({ name: 'staff', ...kept, apiKey: 'ack_login', login: { trust: 'staff', expiresAt } })
    await store.save({ name: 'ci', ...kept, apiKey: 'ack_lasting' })
    const ended = () =>
      own.vault.requests.filter(({ operation }) => operation === 'revokeSelf').map(({ apiKey }) => apiKey)
    return { ...own, ended }
  }

  test('is ended in the vault by logout, and no other kind of key is', async () => {
    const { authconn, ended, answer } = await loggedIn()
    answer.revokeSelf = () => caller()
    expect(await authconn(['logout', '--all'])).toMatchObject({
      exitCode: 0,
      stdout: 'Logged out of ci, staff.\n',
      stderr: '',
    })
    expect(ended()).toEqual(['ack_login'])
  })

  test('is forgotten also where the vault is away, which is told with when it ends', async () => {
    const { authconn, file, answer } = await loggedIn('2999-01-01T00:00:00.000Z')
    answer.revokeSelf = () => {
      throw new Problem('not_ready', 'It is stopping.')
    }
    const { exitCode, stderr } = await authconn(['logout', '--profile', 'staff'])
    expect(exitCode).toBe(0)
    expect(stderr).toContain('could not be ended')
    expect(stderr).toContain('It is stopping. It ends by itself at 2999-01-01T00:00:00.000Z')
    await expect(readFile(file('staff'))).rejects.toThrow('ENOENT')
  })

  test.each<[string, string | undefined, 'invalid_api_key' | undefined]>([
    ['that has ended by itself', '2026-01-01T00:00:00.000Z', undefined],
    ['that somebody has revoked', undefined, 'invalid_api_key'],
  ])('%s is forgotten without a word', async (_what, expiresAt, code) => {
    const { authconn, answer, ended } = await loggedIn(expiresAt)
    answer.revokeSelf = () => {
      throw new Problem(code ?? 'not_ready', 'no such key')
    }
    expect(await authconn(['logout', '--profile', 'staff'])).toMatchObject({ exitCode: 0, stderr: '' })
    expect(ended()).toHaveLength(code === undefined ? 0 : 1)
  })

  test('is ended when another login takes its place', async () => {
    const { login, ended, answer } = await loggedIn()
    answer.revokeSelf = () => caller()
    expect((await login('staff')).exitCode).toBe(0)
    expect(ended()).toEqual(['ack_login'])
  })
})
