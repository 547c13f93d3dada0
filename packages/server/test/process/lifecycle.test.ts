import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { browse, type Sandbox, startSandbox } from '@authconn/sandbox'
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'
import { askDatabase } from '../support/ask-database.ts'
import { temporaryDatabase } from '../support/temporary-database.ts'
import {
  directoryWithDatabase,
  runServer,
  startVaultProcess,
  temporaryDirectory,
} from '../support/vault-process.ts'

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ signingAlg: 'ES256' })
})
afterAll(() => sandbox.stop())

type Running = Awaited<ReturnType<typeof startVaultProcess>>

async function createAndAuthorize(vault: Running, name: string) {
  const created = await vault.call('createConnection', {
    body: {
      name,
      provider_url: sandbox.issuer,
      client_id: sandbox.client.client_id,
      client_secret: sandbox.client.client_secret,
    },
  })
  expect(created.status).toBe(201)
  const started = await vault.call('startAuthorization', {
    params: { name },
    body: { scopes: ['openid'], redirect_uri: 'http://127.0.0.1:8080/callback' },
  })
  const { redirectedUrl } = await browse(started.body.authorization_url)
  const { id } = started.body
  const done = await vault.call('completeAuthorization', {
    params: { id },
    body: { redirected_url: redirectedUrl },
  })
  expect(done.status).toBe(200)
}

async function emptyDatabase(): Promise<string> {
  const database = temporaryDatabase(inject('postgresUrl'))
  await database.create()
  onTestFinished(database.drop)
  return database.url
}

async function environmentOn(kind: string) {
  return kind === 'PostgreSQL'
    ? { AUTHCONN_DATA_DIR: temporaryDirectory(), DATABASE_URL: await emptyDatabase() }
    : { AUTHCONN_DATA_DIR: directoryWithDatabase() }
}

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)

// It makes a database where there is none, which takes a busy machine a while.
describe('the first start', { timeout: 60_000 }, () => {
  test('makes a key and an administrator that only this user can read, and prints neither into a log', async () => {
    const directory = temporaryDirectory()
    rmSync(directory, { recursive: true })
    const vault = await startVaultProcess({ AUTHCONN_DATA_DIR: directory })
    expect(mode(directory)).toBe('700')
    expect(mode(join(directory, 'kek'))).toBe('600')
    expect(mode(join(directory, 'credentials.json'))).toBe('600')
    expect(vault.credentials().url).toBe(vault.url)
    expect((await vault.call('listConnections')).status).toBe(200)
    expect(await vault.end('SIGTERM')).toBe(0)
    const { stdout, stderr } = vault.output()
    expect(stderr).toContain('credentials.json')
    expect(stdout + stderr).not.toContain(vault.credentials().api_key)
    expect(stdout + stderr).not.toContain(readFileSync(join(directory, 'kek'), 'utf8').trim())
  })

  test('happens once: the next one keeps key and administrator, and tells the new address', async () => {
    const env = { AUTHCONN_DATA_DIR: temporaryDirectory(), DATABASE_URL: await emptyDatabase() }
    const first = await startVaultProcess(env)
    const key = first.credentials().api_key
    await first.end('SIGTERM')
    const second = await startVaultProcess(env)
    expect(second.credentials()).toEqual({ url: second.url, api_key: key, proof_key: expect.any(String) })
    expect((await second.call('listConnections')).status).toBe(200)
    expect(second.output().stderr).toBe('')
  })
})

describe.each(['PGlite', 'PostgreSQL'])('on %s', (kind) => {
  test('a token is still served after SIGKILL and a new start', async () => {
    const env = await environmentOn(kind)
    const killed = await startVaultProcess(env)
    await createAndAuthorize(killed, 'survivor')
    const before = await killed.call('getToken', { params: { name: 'survivor' } })
    await killed.end('SIGKILL')

    const next = await startVaultProcess(env)
    const after = await next.call('getToken', { params: { name: 'survivor' } })
    expect(after).toMatchObject({ status: 200, body: { access_token: before.body.access_token } })
  })

  test('SIGTERM lets a request in flight end, and exits with 0', async () => {
    const env = await environmentOn(kind)
    const vault = await startVaultProcess(env)
    sandbox.setAccessTokenTtl(1)
    await createAndAuthorize(vault, 'slow')
    await new Promise((resolve) => setTimeout(resolve, 1000))
    sandbox.setAccessTokenTtl(3600)
    sandbox.faults.set('token', { kind: 'slow', delayMs: 1000 })
    onTestFinished(() => sandbox.faults.clear())
    const inFlight = vault.call('getToken', { params: { name: 'slow' } })
    await new Promise((resolve) => setTimeout(resolve, 300))
    const ended = vault.end('SIGTERM')
    expect(await inFlight).toMatchObject({ status: 200 })
    expect(await ended).toBe(0)
  })
})

describe('the key-encryption key', () => {
  const otherKey = Buffer.alloc(32, 9).toString('base64')

  test('is asked for when it is missing, and nothing is changed', async () => {
    const directory = temporaryDirectory()
    const database = { AUTHCONN_DATA_DIR: directory, DATABASE_URL: await emptyDatabase() }
    const vault = await startVaultProcess(database)
    await vault.end('SIGTERM')
    rmSync(join(directory, 'kek'))
    const { code, stderr } = await runServer(['start', '--port', '0'], database)
    expect(code).toBe(1)
    expect(stderr).toContain('key_encryption_key_missing')
    expect(existsSync(join(directory, 'kek'))).toBe(false)
  })

  test('is refused when it is another one, by start and by migrate', async () => {
    const directory = temporaryDirectory()
    const database = { AUTHCONN_DATA_DIR: directory, DATABASE_URL: await emptyDatabase() }
    const vault = await startVaultProcess(database)
    await vault.end('SIGTERM')
    const env = { ...database, AUTHCONN_KEK: otherKey }
    for (const command of [['start', '--port', '0'], ['migrate']]) {
      const { code, stderr } = await runServer(command, env)
      expect(code).toBe(1)
      expect(stderr).toContain('key_encryption_key_wrong')
      expect(stderr).not.toContain(otherKey)
    }
    await startVaultProcess(database)
  })

  test('is refused when others can read its file', async () => {
    const directory = temporaryDirectory()
    const database = { AUTHCONN_DATA_DIR: directory, DATABASE_URL: await emptyDatabase() }
    const vault = await startVaultProcess(database)
    await vault.end('SIGTERM')
    chmodSync(join(directory, 'kek'), 0o644)
    const { code, stderr } = await runServer(['start', '--port', '0'], database)
    expect(code).toBe(1)
    expect(stderr).toContain('key_file_unsafe')
    expect(stderr).toContain('chmod 600')
  })
})

describe('start', () => {
  test('tells of an error that nobody expected without the secrets of the settings', async () => {
    const url = new URL(await emptyDatabase())
    // The database repeats it in its refusal.
    url.searchParams.set('options', '-c hunter2_password=on')
    const { code, stderr } = await runServer(['migrate'], {
      AUTHCONN_DATA_DIR: temporaryDirectory(),
      DATABASE_URL: url.href,
      AUTHCONN_REDIS_URL: 'redis://:hunter2_password@127.0.0.1:6379/0',
    })
    expect(code).toBe(1)
    expect(stderr).toContain('unrecognized configuration parameter')
    expect(stderr).toContain('[secret]')
    expect(stderr).not.toContain('hunter2')
  })

  test('refuses a data directory that another vault uses', async () => {
    const directory = directoryWithDatabase()
    const vault = await startVaultProcess({ AUTHCONN_DATA_DIR: directory })
    const { code, stderr } = await runServer(['start', '--port', '0'], { AUTHCONN_DATA_DIR: directory })
    expect(code).toBe(1)
    expect(stderr).toContain('data_directory_in_use')
    expect((await vault.call('listConnections')).status).toBe(200)
  })

  test('says which address is taken and what to do', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void other.close())
    await new Promise((resolve) => other.once('listening', resolve))
    const address = other.address()
    const port = typeof address === 'object' ? String(address?.port) : ''
    const { code, stderr } = await runServer(['start', '--port', port], {
      AUTHCONN_DATA_DIR: directoryWithDatabase(),
    })
    expect(code).toBe(1)
    expect(stderr).toContain('address_in_use')
    expect(stderr).toContain(port)
    expect(stderr).toContain('--port')
  })

  test.each([
    ['AUTHCONN_PORT', 'many'],
    ['AUTHCONN_LOG_LEVEL', 'loud'],
    ['AUTHCONN_KEK', 'short'],
    ['DATABASE_URL', 'mysql://host/db'],
  ])('names a wrong setting, %s=%s, and exits with 2', async (name, value) => {
    const { code, stdout, stderr } = await runServer(['start'], {
      AUTHCONN_DATA_DIR: temporaryDirectory(),
      [name]: value,
    })
    expect(code).toBe(2)
    expect(stderr).toContain(name)
    expect(stdout + stderr).not.toMatch(/\n\s+at /)
  })

  test('says that the database does not answer, without its password', async () => {
    const { code, stderr } = await runServer(['start', '--port', '0'], {
      AUTHCONN_DATA_DIR: temporaryDirectory(),
      DATABASE_URL: 'postgres://someone:pass-canary@127.0.0.1:1/nothing',
    })
    expect(code).toBe(1)
    expect(stderr).toContain('database_unavailable')
    expect(stderr).not.toContain('pass-canary')
  })

  test.each([
    ['a wrong password', (url: URL) => Object.assign(url, { password: 'pass-canary' })],
    ['a database that is not there', (url: URL) => Object.assign(url, { pathname: '/not-there' })],
    ['TLS where the server has none', (url: URL) => Object.assign(url, { search: '?sslmode=require' })],
  ])('says that DATABASE_URL holds %s, without its password', async (_what, spoil) => {
    const url = spoil(new URL(await emptyDatabase())).href
    const { code, stderr } = await runServer(['start', '--port', '0'], {
      AUTHCONN_DATA_DIR: temporaryDirectory(),
      DATABASE_URL: url,
    })
    expect(code).toBe(2)
    expect(stderr).toContain('setting_invalid')
    expect(stderr).toContain('DATABASE_URL')
    expect(stderr).not.toContain('pass-canary')
    expect(stderr).not.toMatch(/\n\s+at /)
  })

  test.each(['203.0.113.7', 'no-such-host.invalid'])('says that it cannot listen on %s', async (host) => {
    const { code, stderr } = await runServer(['start', '--port', '0', '--host', host], {
      AUTHCONN_DATA_DIR: temporaryDirectory(),
      DATABASE_URL: await emptyDatabase(),
    })
    expect(code).toBe(2)
    expect(stderr).toContain('setting_invalid')
    expect(stderr).toContain(`: ${host}`)
    expect(stderr).not.toMatch(/\n\s+at /)
  })

  test.each([
    ['credentials_file_invalid', '{"api_key": "key-canary', 0o600],
    ['key_file_unsafe', '{"url": "http://127.0.0.1:1", "api_key": "key-canary"}', 0o644],
  ])('does not serve when it fails with %s', async (error, text, fileMode) => {
    const env = { AUTHCONN_DATA_DIR: temporaryDirectory(), DATABASE_URL: await emptyDatabase() }
    const path = join(env.AUTHCONN_DATA_DIR, 'credentials.json')
    writeFileSync(path, text, { mode: fileMode })
    const { code, stdout, stderr } = await runServer(['start', '--port', '0'], env)
    expect(code).toBe(1)
    expect(stderr).toContain(error)
    expect(stderr).toContain(path)
    expect(stdout + stderr).not.toContain('key-canary')
    expect(stdout).not.toContain('listening')
  })

  test('writes nothing where it may not', async () => {
    const directory = temporaryDirectory()
    writeFileSync(join(directory, 'file'), '')
    const { code, stderr } = await runServer(['start'], { AUTHCONN_DATA_DIR: join(directory, 'file', 'below') })
    expect(code).toBe(2)
    expect(stderr).toContain('AUTHCONN_DATA_DIR')
    expect(readdirSync(directory)).toEqual(['file'])
  })
})

describe('migrate', () => {
  test('prepares a database for a vault that may not do so itself', async () => {
    const env = {
      AUTHCONN_DATA_DIR: temporaryDirectory(),
      DATABASE_URL: await emptyDatabase(),
      AUTHCONN_AUTO_MIGRATE: 'false',
    }
    const refused = await runServer(['start', '--port', '0'], env)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('schema_out_of_date')
    expect(await runServer(['migrate'], env)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('0001-main-job'),
    })
    expect(await runServer(['migrate'], env)).toMatchObject({ code: 0, stdout: 'Nothing to migrate\n' })
    expect(readdirSync(env.AUTHCONN_DATA_DIR)).toEqual([])
    const vault = await startVaultProcess(env)
    expect((await vault.call('listConnections')).status).toBe(200)

    const future = "insert into kysely_migration (name, timestamp) values ('9999-future', '')"
    await askDatabase(env.DATABASE_URL, future)
    const tooOld = await runServer(['migrate'], env)
    expect(tooOld).toMatchObject({ code: 1, stderr: expect.stringContaining('schema_too_new') })
  })

  test('runs in several replicas that start at once on an empty database, with one key', async () => {
    const env = { DATABASE_URL: await emptyDatabase(), AUTHCONN_KEK: Buffer.alloc(32, 3).toString('base64') }
    const directories = [temporaryDirectory(), temporaryDirectory(), temporaryDirectory()]
    const replicas = await Promise.all(
      directories.map((directory) => startVaultProcess({ ...env, AUTHCONN_DATA_DIR: directory })),
    )
    const holders = directories.filter((directory) => existsSync(join(directory, 'credentials.json')))
    expect(holders).toHaveLength(1)
    const key = JSON.parse(readFileSync(join(holders[0] ?? '', 'credentials.json'), 'utf8')).api_key
    for (const replica of replicas) expect((await replica.call('listConnections', {}, key)).status).toBe(200)
  })
})

describe('admin-key', () => {
  test('makes an administrator while vaults run, when the last key is lost', async () => {
    const env = { AUTHCONN_DATA_DIR: temporaryDirectory(), DATABASE_URL: await emptyDatabase() }
    const vault = await startVaultProcess(env)
    const lost = vault.credentials().api_key
    writeFileSync(join(env.AUTHCONN_DATA_DIR, 'credentials.json'), 'damaged as well')
    const { code, stdout, stderr } = await runServer(['admin-key'], env)
    expect(code).toBe(0)
    expect(stdout).toMatch(/admin-\d{8}-\d{6}-/)
    const { api_key } = vault.credentials()
    expect(api_key).not.toBe(lost)
    expect(stdout + stderr).not.toContain(api_key)
    expect(mode(join(env.AUTHCONN_DATA_DIR, 'credentials.json'))).toBe('600')
    const { status, body } = await vault.call('listCallers')
    expect(status).toBe(200)
    expect(body.callers).toHaveLength(2)
  })

  test('needs the key-encryption key', async () => {
    const env = { AUTHCONN_DATA_DIR: temporaryDirectory(), DATABASE_URL: await emptyDatabase() }
    const vault = await startVaultProcess(env)
    const other = { ...env, AUTHCONN_DATA_DIR: temporaryDirectory() }
    const { code, stderr } = await runServer(['admin-key'], other)
    expect(code).toBe(1)
    expect(stderr).toContain('key_encryption_key_missing')
    expect(readdirSync(other.AUTHCONN_DATA_DIR)).toEqual([])
    expect((await vault.call('listCallers')).body.callers).toHaveLength(1)
  })

  test('says that a vault was never started, and makes nothing', async () => {
    const env = { AUTHCONN_DATA_DIR: temporaryDirectory(), DATABASE_URL: await emptyDatabase() }
    const { code, stderr } = await runServer(['admin-key'], env)
    expect(code).toBe(1)
    expect(stderr).toContain('vault_not_started')
    expect(readdirSync(env.AUTHCONN_DATA_DIR)).toEqual([])
  })

  test('on the embedded database waits for no vault: it says to stop it, and works then', async () => {
    const env = { AUTHCONN_DATA_DIR: directoryWithDatabase() }
    const vault = await startVaultProcess(env)
    const refused = await runServer(['admin-key'], env)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('data_directory_in_use')
    await vault.end('SIGTERM')
    const lost = vault.credentials().api_key
    expect((await runServer(['admin-key'], env)).code).toBe(0)
    const next = await startVaultProcess(env)
    expect(next.credentials().api_key).not.toBe(lost)
    expect((await next.call('listCallers')).status).toBe(200)
  })
})

describe('operator-key', () => {
  const operatorOf = (env: { AUTHCONN_DATA_DIR: string }) =>
    JSON.parse(readFileSync(join(env.AUTHCONN_DATA_DIR, 'operator.json'), 'utf8'))

  test("makes an operator while vaults run, and leaves the administrator's key alone", async () => {
    const env = { AUTHCONN_DATA_DIR: temporaryDirectory(), DATABASE_URL: await emptyDatabase() }
    const vault = await startVaultProcess(env)
    const admin = vault.credentials()
    const { code, stdout, stderr } = await runServer(['operator-key'], env)
    expect(code).toBe(0)
    const { name, api_key } = operatorOf(env)
    expect(stdout).toBe(`Made the operator ${name}\n`)
    expect(name).toMatch(/^operator-\d{8}-\d{6}-/)
    expect(stderr).toContain('operator.json')
    expect(stdout + stderr).not.toContain(api_key)
    expect(mode(join(env.AUTHCONN_DATA_DIR, 'operator.json'))).toBe('600')
    expect(vault.credentials()).toEqual(admin)
    const made = await vault.call('createWorkspace', { body: { name: 'acme' } }, api_key)
    expect(made.status).toBe(201)
    expect((await vault.call('listConnections', {}, made.body.administrator.api_key)).status).toBe(200)
    expect((await vault.call('listConnections', {}, api_key)).status).toBe(403)

    expect((await runServer(['operator-key'], env)).code).toBe(0)
    expect(operatorOf(env).api_key).not.toBe(api_key)
    const { callers } = (await vault.call('listCallers', {}, api_key)).body
    expect(callers).toHaveLength(2)
  })

  test('needs the key-encryption key, and a vault that was started', async () => {
    const env = { AUTHCONN_DATA_DIR: temporaryDirectory(), DATABASE_URL: await emptyDatabase() }
    expect(await runServer(['operator-key'], env)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('vault_not_started'),
    })
    const vault = await startVaultProcess(env)
    const other = { ...env, AUTHCONN_DATA_DIR: temporaryDirectory() }
    expect(await runServer(['operator-key'], other)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('key_encryption_key_missing'),
    })
    expect(readdirSync(other.AUTHCONN_DATA_DIR)).toEqual([])
    expect((await vault.call('listCallers')).body.callers).toHaveLength(1)
  })
})

test('--help describes every setting', async () => {
  const { code, stdout } = await runServer(['--help'], {})
  expect(code).toBe(0)
  for (const name of ['AUTHCONN_PORT', 'DATABASE_URL', 'AUTHCONN_KEK_FILE', 'AUTHCONN_LOG_LEVEL']) {
    expect(stdout).toContain(name)
  }
})
