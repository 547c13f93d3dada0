import { randomBytes, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createClient } from '../../packages/sdk/src/index.ts'
import { createDataKeyStore } from '../../packages/server/src/adapters/postgres/data-key-store.ts'
import type { Database } from '../../packages/server/src/adapters/postgres/database.ts'
import { openDatabase } from '../../packages/server/src/adapters/postgres/open-database.ts'
import { createKeks, createLocalKek } from '../../packages/server/src/core/crypto/key-encryption-key.ts'
import { createKeyring, type Keyring } from '../../packages/server/src/core/crypto/keyring.ts'
import { places } from '../../packages/server/src/core/crypto/places.ts'
import { Secret } from '../../packages/server/src/core/secret.ts'
import { runSql } from '../../packages/server/test/support/run-sql.ts'
import { type LocalCredentials, localCredentialsFile } from '../../packages/shared/src/local.ts'
import { type RunningVault, startVaults } from './vaults.ts'

export interface Filling {
  callers: number
  /** `connection-1` to that number. */
  connections: number
  /** Each with grants for `user-1` to that number; 0: with the application's own. */
  subjects: number
  /** And the first of them with so many: most users of a company may be at one provider. */
  crowd?: number
  /** Of this month, beside those that the fetches make. */
  auditRows: number
}

export interface FilledVault {
  /** API keys that may read every token. */
  keys: string[]
  /** The key-encryption key, 32 bytes. */
  kek: Buffer
  /** Starts some processes on it with the settings that it has by itself, whose logs go to files. */
  start(count: number): Promise<RunningVault[]>
}

/** About as long as Google's, without the prefix. */
export const tokenLength = 220

export const silent = { info() {}, warn() {}, error() {} }
const rowsAtOnce = 5_000

/**
 * Makes a vault with many grants, by the program itself as far as it goes and by SQL for what providers would bring.
 * Without a URL its database is embedded. Every token is sealed for its place, and fresh for a day.
 */
export async function fillVault(
  directory: string,
  url: string | undefined,
  filling: Filling,
): Promise<FilledVault> {
  const kek = randomBytes(32)
  const start = (count: number) =>
    startVaults({
      count,
      directory,
      kek: kek.toString('base64'),
      ...(url !== undefined && { databaseUrl: url }),
      environment: { AUTHCONN_LOG_LEVEL: 'info' },
    })

  const [vault] = await start(1)
  if (!vault) throw new Error('no vault was started')
  const keys = await createCallers(vault, filling.callers)
  await vault.stop()

  const at = url === undefined ? { directory: join(vault.dataDirectory, 'database') } : { url, poolSize: 2 }
  const { withoutTimeLimit, close } = await openDatabase(at, silent)
  await withoutTimeLimit(async (db) => {
    const keks = createKeks(createLocalKek(kek))
    const keyring = createKeyring({ dataKeys: createDataKeyStore(db), keks, log: silent })
    await fill(db, keyring, filling)
  })
  await close()
  return { keys, kek, start }
}

async function createCallers(vault: RunningVault, count: number): Promise<string[]> {
  const text = await readFile(join(vault.dataDirectory, localCredentialsFile), 'utf8')
  const { api_key: apiKey }: LocalCredentials = JSON.parse(text)
  const client = createClient({ url: vault.url, apiKey })
  const keys: string[] = []
  for (let n = 1; n <= count; n++) {
    const body = { name: `caller-${n}`, permissions: ['token:read' as const], connections: ['*'], subjects: null }
    keys.push((await client.call('createCaller', { body })).api_key)
  }
  return keys
}

async function fill(db: Database, keyring: Keyring, filling: Filling): Promise<void> {
  const { id: workspaceId } = await db.selectFrom('workspaces').select('id').executeTakeFirstOrThrow()
  // Or each of the first thousands would ask for the key.
  await keyring.prepare(workspaceId)
  const connectionIds = await insertConnections(db, keyring, workspaceId, filling.connections)
  let grants: NewGrant[] = []
  for (const [index, connectionId] of connectionIds.entries()) {
    for (const subject of subjectsOf(filling, index)) {
      grants.push({ id: randomUUID(), connectionId, subject })
      if (grants.length < rowsAtOnce) continue
      await insertGrants(db, keyring, workspaceId, grants)
      grants = []
    }
  }
  await insertGrants(db, keyring, workspaceId, grants)
  if (filling.auditRows > 0) await insertAuditRows(db, workspaceId, filling.auditRows)
  // What a database in use has done long since, and would otherwise do while it is measured.
  await runSql(db, 'vacuum (analyze, freeze)')
  await runSql(db, 'checkpoint')
}

function subjectsOf({ subjects, crowd }: Filling, connection: number): string[] {
  const count = connection === 0 && crowd !== undefined ? crowd : subjects
  return count === 0 ? [''] : Array.from({ length: count }, (_, n) => `user-${n + 1}`)
}

async function insertConnections(
  db: Database,
  keyring: Keyring,
  workspaceId: string,
  count: number,
): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID())
  const secrets = await Promise.all(
    ids.map((id) => keyring.seal(places.clientSecret({ id, workspaceId }), randomSecret(40))),
  )
  const endpoints = {
    authorization_endpoint: 'https://provider.example/oauth2/authorize',
    token_endpoint: 'https://provider.example/oauth2/token',
    revocation_endpoint: 'https://provider.example/oauth2/revoke',
  }
  await runSql(
    db,
    `insert into connections (id, workspace_id, name, provider_url, client_id, client_secret,
      token_endpoint_auth_method, endpoints, iss_parameter_supported, authorization_parameters)
    select id, $1::uuid, 'connection-' || n, 'https://provider.example', 'client', client_secret,
      'client_secret_basic', $2::jsonb, false, '{}'
    from unnest($3::uuid[], $4::bytea[]) with ordinality as new (id, client_secret, n)`,
    [workspaceId, JSON.stringify(endpoints), ids, secrets],
  )
  return ids
}

interface NewGrant {
  id: string
  connectionId: string
  subject: string
}

async function insertGrants(
  db: Database,
  keyring: Keyring,
  workspaceId: string,
  grants: NewGrant[],
): Promise<void> {
  const seal = (place: (typeof places)['accessToken']) =>
    Promise.all(grants.map(({ id }) => keyring.seal(place({ id, workspaceId }), randomSecret(tokenLength))))
  const [accessTokens, refreshTokens] = [await seal(places.accessToken), await seal(places.refreshToken)]
  // They were used just now, like those of a vault that has been running for long: that is noted once an hour.
  await runSql(
    db,
    `insert into grants (id, workspace_id, connection_id, subject, status, access_token, refresh_token, scope,
      expires_at, lifetime, generation, refresh_due_at, keep_alive_at, last_refreshed_at, last_used_at)
    select id, $1::uuid, connection_id, subject, 'active', access_token, refresh_token, 'openid email',
      now() + interval '24 hours', 86400, 1, now() + interval '23 hours', now() + interval '7 days', now(), now()
    from unnest($2::uuid[], $3::uuid[], $4::text[], $5::bytea[], $6::bytea[])
      as new (id, connection_id, subject, access_token, refresh_token)`,
    [
      workspaceId,
      grants.map(({ id }) => id),
      grants.map(({ connectionId }) => connectionId),
      grants.map(({ subject }) => subject),
      accessTokens,
      refreshTokens,
    ],
  )
}

/** Their MACs are of the right size and wrong: nobody verifies them here. */
async function insertAuditRows(db: Database, workspaceId: string, count: number): Promise<void> {
  await runSql(
    db,
    `insert into audit_log (stream, number, at, workspace_id, actor, actor_name, action, connection, subject,
      outcome, reason, address, request_id, mac)
    select md5((n % 20)::text)::uuid, n / 20 + 1,
      date_trunc('month', now()) + (now() - date_trunc('month', now())) * (n::float / $2::float),
      $1::uuid, md5((n % 64)::text)::uuid, 'caller-' || n % 64, 'getToken', 'connection-' || n % 100, '',
      'allowed', null, '127.0.0.1', gen_random_uuid()::text, sha256(n::text::bytea)
    from generate_series(0, $2::integer - 1) as n`,
    [workspaceId, count],
  )
}

function randomSecret(length: number): Secret {
  return new Secret(randomBytes(length).toString('base64url').slice(0, length))
}
