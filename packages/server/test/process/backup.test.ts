import { randomBytes } from 'node:crypto'
import { chmodSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Sandbox, startSandbox } from '@authconn/sandbox'
import pg from 'pg'
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest'
import { authorizeConnection } from '../support/authorize-connection.ts'
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

const names = ['one', 'two', 'three']

async function authorizeAll(vault: Running): Promise<Map<string, string>> {
  for (const name of names) await authorizeConnection(vault, sandbox, name)
  return tokensOf(vault, vault.credentials().api_key)
}

async function tokensOf(vault: Running, key: string): Promise<Map<string, string>> {
  const tokens = new Map<string, string>()
  for (const name of names) {
    const { status, body } = await vault.call('getToken', { params: { name } }, key)
    expect(status).toBe(200)
    tokens.set(name, body.access_token)
  }
  return tokens
}

async function emptyDatabase(): Promise<string> {
  const database = temporaryDatabase(inject('postgresUrl'))
  await database.create()
  onTestFinished(database.drop)
  return database.url
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** Tables of the vault in the order of their references, with the columns that are not made from others. */
const tables = `select c.relname as name, string_agg(quote_ident(attname), ', ' order by attnum) as columns
  from pg_class c join pg_attribute a on a.attrelid = c.oid and attnum > 0 and not attisdropped and attgenerated = ''
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
    and c.relname not like 'kysely%'
  group by c.oid order by array_position(array['workspaces', 'data_keys', 'callers', 'connections', 'grants'],
    c.relname::text) nulls last`

/** What pg_dump does with data: every table by COPY into a file, all in one snapshot, while the vault goes on. */
async function dump(url: string, directory: string): Promise<void> {
  await withClient(url, async (client) => {
    await client.query('begin isolation level repeatable read read only')
    for (const { name, columns } of (await client.query(tables)).rows) {
      const from = name === 'audit_log' ? `(select ${columns} from ${name})` : `${name} (${columns})`
      await client.query(`copy ${from} to '${join(directory, name)}'`)
    }
    await client.query('commit')
  })
}

async function restore(url: string, directory: string): Promise<void> {
  await withClient(url, async (client) => {
    await client.query('begin')
    for (const { name, columns } of (await client.query(tables)).rows) {
      await client.query(`copy ${name} (${columns}) from '${join(directory, name)}'`)
    }
    await client.query('commit')
  })
}

/** Which PostgreSQL itself writes to, under its own account. */
function dumpDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'authconn-dump-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  chmodSync(directory, 0o777)
  return directory
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile())
}

async function refusedToStart(env: Record<string, string>, code: string): Promise<void> {
  for (const command of [
    ['start', '--port', '0'],
    ['keys', 'verify'],
  ]) {
    const ended = await runServer(command, env)
    expect([command, ended.code]).toEqual([command, 1])
    expect(ended.stderr).toContain(code)
  }
}

test('a dump restored into an empty database with the keyring serves every token; without it nothing is readable', async () => {
  const kek = randomBytes(32).toString('base64')
  const env = { AUTHCONN_DATA_DIR: temporaryDirectory(), DATABASE_URL: await emptyDatabase(), AUTHCONN_KEK: kek }
  const vault = await startVaultProcess(env)
  const tokens = await authorizeAll(vault)
  // Both kinds of keys have a history.
  await runServer(['keys', 'rotate-data-keys', '--older-than', '0'], env)
  const dumped = dumpDirectory()
  await dump(env.DATABASE_URL, dumped)
  await vault.end('SIGTERM')
  const files = filesBelow(dumped)
  expect(files.length).toBeGreaterThan(8)
  for (const secret of [...tokens.values(), sandbox.client.client_secret, vault.credentials().api_key, kek]) {
    for (const file of files) {
      const text = readFileSync(file, 'latin1')
      // PostgreSQL writes bytes in hexadecimal.
      expect(text.includes(secret) || text.includes(Buffer.from(secret).toString('hex')), file).toBe(false)
    }
  }

  const database = await emptyDatabase()
  const elsewhere = { AUTHCONN_DATA_DIR: temporaryDirectory(), DATABASE_URL: database }
  expect((await runServer(['migrate'], elsewhere)).code).toBe(0)
  await restore(database, dumped)
  await refusedToStart(elsewhere, 'key_encryption_key_missing')
  expect(existsSync(join(elsewhere.AUTHCONN_DATA_DIR, 'kek'))).toBe(false)
  await refusedToStart(
    { ...elsewhere, AUTHCONN_KEK: randomBytes(32).toString('base64') },
    'key_encryption_key_wrong',
  )

  const restored = { ...elsewhere, AUTHCONN_KEK: kek }
  const verified = await runServer(['keys', 'verify', '--json'], restored)
  expect(JSON.parse(verified.stdout)).toMatchObject({ values: 9, damaged_keys: [], damaged_values: [] })
  const again = await startVaultProcess(restored)
  expect(await tokensOf(again, vault.credentials().api_key)).toEqual(tokens)
  const audit = await again.call('verifyAudit', { body: {} }, vault.credentials().api_key)
  expect(audit).toMatchObject({ status: 200, body: { intact: true } })
}, 180_000)

test('a copy of the data directory of an embedded vault serves every token; without the file kek nothing is readable', async () => {
  const directory = directoryWithDatabase()
  const vault = await startVaultProcess({ AUTHCONN_DATA_DIR: directory })
  const tokens = await authorizeAll(vault)
  await vault.end('SIGTERM')
  const [copy, thief] = [temporaryDirectory(), temporaryDirectory()]
  cpSync(directory, copy, { recursive: true })
  cpSync(join(directory, 'database'), join(thief, 'database'), { recursive: true })
  rmSync(directory, { recursive: true })

  await refusedToStart({ AUTHCONN_DATA_DIR: thief }, 'key_encryption_key_missing')
  expect(existsSync(join(thief, 'kek'))).toBe(false)
  const stolen = { AUTHCONN_DATA_DIR: thief, AUTHCONN_KEK: randomBytes(32).toString('base64') }
  await refusedToStart(stolen, 'key_encryption_key_wrong')
  for (const file of filesBelow(join(thief, 'database'))) {
    const bytes = readFileSync(file)
    for (const token of tokens.values()) expect(bytes.includes(token), file).toBe(false)
  }

  const again = await startVaultProcess({ AUTHCONN_DATA_DIR: copy })
  expect(await tokensOf(again, again.credentials().api_key)).toEqual(tokens)
}, 180_000)
