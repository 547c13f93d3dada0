import { createCipheriv, createHash, randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { openDatabase } from '../../packages/server/src/adapters/postgres/open-database.ts'
import { settings } from '../../packages/server/src/config/settings.ts'
import { runSql } from '../../packages/server/test/support/run-sql.ts'
import { silent, tokenLength } from '../support/filled-vault.ts'
import { type RunningProgram, startProgram } from '../support/program.ts'

const program = fileURLToPath(new URL('../baselines/hand-written.mjs', import.meta.url))

const schema = `
  create table callers (
    id bigint generated always as identity primary key,
    name text not null unique,
    key_hash bytea not null unique,
    connections text[] not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz
  );
  create table grants (
    id bigint generated always as identity primary key,
    connection text not null unique,
    access_token bytea not null,
    token_type text not null default 'Bearer',
    scope text,
    expires_at timestamptz,
    version integer not null default 1,
    revoked_at timestamptz
  );
  create table audit_log (
    id bigint generated always as identity primary key,
    at timestamptz not null default now(),
    caller_id bigint not null,
    action text not null,
    connection text not null,
    address text not null,
    request_id text not null
  );
  create index audit_log_at on audit_log (at);`

export interface HandWritten {
  /** Starts it, with as many connections to its database as the vault has. */
  start(prepared: boolean): Promise<RunningProgram>
}

/** Fills an empty database for the hand-written route. */
export async function makeHandWritten(url: string, keys: string[], connections: number): Promise<HandWritten> {
  const encryptionKey = randomBytes(32)
  const { db, close } = await openDatabase({ url, poolSize: 1 }, silent)
  try {
    await runSql(db, schema)
    await runSql(
      db,
      `insert into callers (name, key_hash, connections)
        select 'caller-' || n, hash, '{*}' from unnest($1::bytea[]) with ordinality as new (hash, n)`,
      [keys.map((key) => createHash('sha256').update(key).digest())],
    )
    await runSql(
      db,
      `insert into grants (connection, access_token, scope, expires_at)
        select 'connection-' || n, token, 'openid email', now() + interval '24 hours'
        from unnest($1::bytea[]) with ordinality as new (token, n)`,
      [Array.from({ length: connections }, () => sealed(encryptionKey))],
    )
    await runSql(db, 'vacuum (analyze, freeze)')
  } finally {
    await close()
  }
  return {
    start: (prepared) =>
      startProgram(
        [program],
        (port) => ({
          NODE_ENV: 'production',
          PORT: String(port),
          DATABASE_URL: url,
          POOL_SIZE: poolSize(),
          ENCRYPTION_KEY: encryptionKey.toString('base64'),
          PREPARED: String(prepared),
        }),
        { exitWithParent: true },
      ),
  }
}

/** What the vault has unless somebody sets it. */
function poolSize(): string {
  const found = settings.find(({ name }) => name === 'AUTHCONN_DATABASE_POOL_SIZE')?.default
  if (found === undefined || !/^\d+$/.test(found)) throw new Error('the vault has no default size of its pool')
  return found
}

function sealed(key: Buffer): Buffer {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const token = randomBytes(tokenLength).toString('base64url').slice(0, tokenLength)
  return Buffer.concat([nonce, cipher.update(token, 'utf8'), cipher.final(), cipher.getAuthTag()])
}
