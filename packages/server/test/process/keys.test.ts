import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Sandbox, startSandbox } from '@authconn/sandbox'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'
import { authorizeConnection } from '../support/authorize-connection.ts'
import { findPgbouncer, startPgbouncer } from '../support/pgbouncer.ts'
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

/** Milliseconds: each command starts a process, and on the embedded database a whole PostgreSQL in it. */
const patience = 180_000

const newKek = () => randomBytes(32).toString('base64')

type Environment = Record<string, string> & { AUTHCONN_DATA_DIR: string; AUTHCONN_KEK: string }
type Running = Awaited<ReturnType<typeof startVaultProcess>>

async function environment(kind: string): Promise<Environment> {
  if (kind !== 'PostgreSQL') return { AUTHCONN_DATA_DIR: directoryWithDatabase(), AUTHCONN_KEK: newKek() }
  const database = temporaryDatabase(inject('postgresUrl'))
  await database.create()
  onTestFinished(database.drop)
  return { AUTHCONN_DATA_DIR: temporaryDirectory(), AUTHCONN_KEK: newKek(), DATABASE_URL: database.url }
}

async function authorize(vault: Running, name: string): Promise<string> {
  await authorizeConnection(vault, sandbox, name)
  return tokenOf(vault, name)
}

async function tokenOf(vault: Running, name: string): Promise<string> {
  const answer = await vault.call('getToken', { params: { name } })
  expect(answer.status).toBe(200)
  return answer.body.access_token
}

/** Runs a command to its end and resolves to what it prints as JSON. */
async function keys(env: Environment, ...args: string[]) {
  const { code, stdout, stderr } = await runServer(['keys', ...args, '--json'], env)
  expect(stderr).toBe('')
  return { code, result: JSON.parse(stdout) }
}

async function query(url: string, text: string) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query(text)
  await client.end()
  return rows
}

const rotated = (env: Environment): Environment => ({ ...env, AUTHCONN_KEK: `${newKek()} ${env.AUTHCONN_KEK}` })
const [currentOf, formerOf] = [0, 1].map((at) => (env: Environment) => ({
  ...env,
  AUTHCONN_KEK: env.AUTHCONN_KEK.split(' ')[at] ?? '',
})) as [(env: Environment) => Environment, (env: Environment) => Environment]

describe.each(['PGlite', 'PostgreSQL'])('keys on %s', (kind) => {
  test(
    'rotate from the first to the last step, and the vault serves with the new key alone',
    async () => {
      const env = await environment(kind)
      const first = await startVaultProcess(env)
      const token = await authorize(first, 'one')
      await first.end('SIGTERM')

      const both = rotated(env)
      expect((await keys(both, 'status')).result).toMatchObject({ to_rewrap: 2, to_reseal: 0 })
      expect((await keys(both, 'rotate-kek')).result).toMatchObject({ rewrapped: 2, damaged: [] })
      expect((await keys(both, 'rotate-data-keys')).result).toEqual({ made: 0, left: 1 })
      expect((await keys(both, 'rotate-data-keys', '--older-than', '0')).result).toEqual({ made: 1, left: 0 })
      const { result: between } = await keys(both, 'status')
      expect(between).toMatchObject({ to_rewrap: 0, to_reseal: 3 })
      expect(await keys(both, 'reseal')).toMatchObject({
        code: 0,
        result: { resealed: 3, left: 0, damaged: [], keys_dropped: 0, keys_unused: 1 },
      })
      const alone = currentOf(both)
      expect(await keys(alone, 'verify')).toMatchObject({
        code: 0,
        result: { keys: 3, values: 3, damaged_keys: [], damaged_values: [] },
      })
      const { result: after } = await keys(alone, 'status')
      expect(after).toMatchObject({ to_rewrap: 0, to_reseal: 0, data_keys: { former: 1, unused: 1 } })
      expect(after.key_encryption_keys).toMatchObject([
        { current: true, given: true, data_keys: 2, audit_keys: 1 },
      ])

      const second = await startVaultProcess(alone)
      expect(await tokenOf(second, 'one')).toBe(token)
      expect(await second.call('verifyAudit', { body: {} })).toMatchObject({ status: 200, body: { intact: true } })
    },
    patience,
  )

  test(
    'are refused when the key that wrapped something is not among them, and nothing is changed',
    async () => {
      const env = await environment(kind)
      await (await startVaultProcess(env)).end('SIGTERM')
      const both = rotated(env)
      const refused = async (given: Environment) => {
        for (const command of [
          ['start', '--port', '0'],
          ['keys', 'status'],
          ['keys', 'rotate-kek'],
          ['keys', 'reseal'],
        ]) {
          const { code, stderr } = await runServer(command, given)
          expect([command, code]).toEqual([command, 1])
          expect(stderr).toContain('key_encryption_key_wrong')
          for (const key of both.AUTHCONN_KEK.split(' ')) expect(stderr).not.toContain(key)
        }
      }
      await refused(currentOf(both))
      // The new data key is wrapped with the new key, the former one and the audit log's with the former key.
      await keys(both, 'rotate-data-keys', '--older-than', '0')
      await refused(currentOf(both))
      await refused(formerOf(both))
      await keys(both, 'rotate-kek')
      await refused(formerOf(both))
      await startVaultProcess(currentOf(both))
    },
    patience,
  )
})

describe('keys', () => {
  test(
    'rotate while vaults serve, which take the newest data key within seconds, and are on record',
    async () => {
      const env = await environment('PostgreSQL')
      const both = rotated(env)
      await (await startVaultProcess(env)).end('SIGTERM')
      const vaults = [
        await startVaultProcess(both),
        await startVaultProcess({ ...both, AUTHCONN_DATA_DIR: temporaryDirectory() }),
      ]
      const [one, other] = vaults as [Running, Running]
      const key = one.credentials().api_key
      const token = await authorize(one, 'one')
      await keys(both, 'rotate-kek')
      await keys(both, 'rotate-data-keys', '--older-than', '0')
      // The vault may have sealed with the former data key until now; the command waits for that.
      expect((await keys(both, 'reseal')).result).toMatchObject({ left: 0, damaged: [] })
      await authorize(one, 'two')
      expect((await keys(both, 'status')).result).toMatchObject({ to_rewrap: 0, to_reseal: 0 })
      expect(await other.call('getToken', { params: { name: 'one' } }, key)).toMatchObject({
        status: 200,
        body: { access_token: token },
      })
      expect((await keys(both, 'verify')).code).toBe(0)
      const url = both.DATABASE_URL ?? ''
      const records = await query(
        url,
        "select action, target, outcome from audit_log where action like 'keys %' order by at",
      )
      const kekId = (await keys(both, 'status')).result.key_encryption_keys[0].id
      expect(records).toEqual([
        { action: 'keys rotate-kek', target: kekId, outcome: 'allowed' },
        { action: 'keys rotate-data-keys', target: null, outcome: 'allowed' },
        { action: 'keys reseal', target: null, outcome: 'allowed' },
        { action: 'keys verify', target: null, outcome: 'allowed' },
      ])
      expect(await one.call('verifyAudit', { body: {} })).toMatchObject({ body: { intact: true } })
    },
    patience,
  )

  test(
    'verify names each damaged row and exits with 1, prints nothing secret, and is on record',
    async () => {
      const env = await environment('PostgreSQL')
      const vault = await startVaultProcess(env)
      const token = await authorize(vault, 'one')
      await authorize(vault, 'two')
      const url = env.DATABASE_URL ?? ''
      const [damaged] = await query(
        url,
        `update grants set access_token = set_byte(access_token, 40, get_byte(access_token, 40) # 1)
        where connection_id in (select id from connections where name = 'one') returning id`,
      )
      const { code, result } = await keys(env, 'verify')
      expect(code).toBe(1)
      expect(result).toMatchObject({
        values: 6,
        damaged_keys: [],
        damaged_values: [{ table: 'grants', column: 'access_token', row: damaged.id }],
      })
      const told = await runServer(['keys', 'verify'], env)
      expect(told.code).toBe(1)
      expect(told.stdout).toContain(`grants.access_token of ${damaged.id}`)
      for (const secret of [token, sandbox.client.client_secret, env.AUTHCONN_KEK]) {
        expect(told.stdout + told.stderr + JSON.stringify(result)).not.toContain(secret)
      }
      const records = await query(
        url,
        "select target, reason from audit_log where action = 'keys verify' and outcome = 'failed'",
      )
      expect(records).toContainEqual({
        target: `grants.access_token/${damaged.id}`,
        reason: 'sealed_value_damaged',
      })
      // The others are served meanwhile.
      expect((await vault.call('getToken', { params: { name: 'two' } })).status).toBe(200)
      expect((await vault.call('getToken', { params: { name: 'one' } })).body.code).toBe('sealed_value_damaged')
    },
    patience,
  )

  test(
    'rotate through PgBouncer in transaction mode',
    async (context) => {
      context.skip(findPgbouncer() === undefined, 'PgBouncer is not installed')
      const env = await environment('PostgreSQL')
      const bouncer = await startPgbouncer(env.DATABASE_URL ?? '', { poolSize: 2 })
      onTestFinished(bouncer.stop)
      const both = { ...rotated(env), DATABASE_URL: bouncer.url }
      await (await startVaultProcess({ ...env, DATABASE_URL: bouncer.url })).end('SIGTERM')
      const vault = await startVaultProcess(both)
      const token = await authorize(vault, 'one')
      await keys(both, 'rotate-kek')
      await keys(both, 'rotate-data-keys', '--older-than', '0')
      expect((await keys(both, 'reseal')).result).toMatchObject({ resealed: 3, left: 0 })
      expect((await keys(both, 'verify')).result).toMatchObject({ damaged_keys: [], damaged_values: [] })
      expect(await tokenOf(vault, 'one')).toBe(token)
    },
    patience,
  )

  test(
    'say in words what there is, and what to do next',
    async () => {
      const env = await environment('PostgreSQL')
      await (await startVaultProcess(env)).end('SIGTERM')
      const both = rotated(env)
      const status = await runServer(['keys', 'status'], both)
      expect(status).toMatchObject({ code: 0, stderr: '' })
      expect(status.stdout).toContain('current')
      expect(status.stdout).toContain('authconn-server keys rotate-kek')
      for (const key of both.AUTHCONN_KEK.split(' ')) expect(status.stdout).not.toContain(key)
      expect((await runServer(['keys', 'rotate-kek'], both)).stdout).toMatch(/^2 keys wrapped with [0-9a-f]{16}/)
    },
    patience,
  )

  test(
    'ask for a number of seconds, for a workspace that there is, and for a vault that was started',
    async () => {
      const env = await environment('PostgreSQL')
      const command = ['keys', 'rotate-data-keys']
      const before = await runServer(command, { ...env, AUTHCONN_KEK: '' })
      expect(before).toMatchObject({ code: 1, stderr: expect.stringContaining('vault_not_started') })
      expect(existsSync(join(env.AUTHCONN_DATA_DIR, 'kek'))).toBe(false)
      await (await startVaultProcess(env)).end('SIGTERM')
      const wrong = await runServer([...command, '--older-than', 'soon'], env)
      expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('--older-than') })
      const nowhere = await runServer([...command, '--workspace', 'nowhere'], env)
      expect(nowhere).toMatchObject({ code: 1, stderr: expect.stringContaining('workspace_not_found') })
    },
    patience,
  )

  test(
    'wait for no vault on the embedded database: they say that it is in use',
    async () => {
      const env = await environment('PGlite')
      await startVaultProcess(env)
      const { code, stderr } = await runServer(['keys', 'rotate-kek'], rotated(env))
      expect(code).toBe(1)
      expect(stderr).toContain('data_directory_in_use')
      expect(readdirSync(env.AUTHCONN_DATA_DIR)).toContain('database')
    },
    patience,
  )
})
