import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Dialect, type Kysely, PGliteDialect, PostgresAdapter, PostgresDialect, sql } from 'kysely'
import type { Log } from '../../core/ports.ts'
import { syncTree } from '../files/sync-directory.ts'
import { limitQueries } from './limit-queries.ts'

export interface PostgresAddress {
  url: string
  poolSize: number
  /** Milliseconds after which a query without an answer fails, and its connection with it; null: never. */
  queryTimeoutMs: number | null
}

/** Connections of a pool, and queries that wait for one. */
export interface PoolState {
  total: number
  idle: number
  waiting: number
}

/** Both drivers load only when they are used: the embedded database alone is some 25 MB of WebAssembly. */
export async function createPgDialect(
  at: PostgresAddress,
  log: Log,
): Promise<{ dialect: Dialect; poolState(): PoolState }> {
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({
    connectionString: at.url,
    max: at.poolSize,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    application_name: 'authconn',
  })
  // Without a listener a connection that breaks would end the process. The pool listens to those that are idle, and
  // passes it on; while a query runs nobody does. Then the query fails as well, so it is said there.
  pool.on('error', (error) => log.warn({ error }, 'an idle database connection broke'))
  pool.on('connect', (client) => client.on('error', () => undefined))
  return {
    dialect: new PoolerSafePostgresDialect({
      pool: at.queryTimeoutMs === null ? pool : limitQueries(pool, at.queryTimeoutMs),
    }),
    poolState: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
  }
}

export async function createPgliteDialect(directory: string): Promise<Dialect> {
  const { PGlite } = await import('@electric-sql/pglite')
  const { DurableFiles, durableStartParams } = await import('./durable-files.ts')
  const isNew = !existsSync(join(directory, 'PG_VERSION'))
  const pglite = await PGlite.create({
    fs: new DurableFiles(directory),
    startParams: durableStartParams(PGlite.defaultStartParams),
  })
  // Making a database writes a thousand files and syncs none.
  if (isNew) syncTree(directory)
  return new PGliteDialect({ pglite })
}

class PoolerSafePostgresDialect extends PostgresDialect {
  override createAdapter() {
    return new PoolerSafeAdapter()
  }
}

/**
 * Kysely's own adapter locks migrations with a session-level advisory lock, which a transaction-mode pooler may take
 * on one server connection and release on another. A row lock inside the migration's transaction needs no session.
 */
class PoolerSafeAdapter extends PostgresAdapter {
  override async acquireMigrationLock(
    db: Kysely<unknown>,
    { lockTable, lockRowId }: { lockTable: string; lockRowId: string },
  ): Promise<void> {
    await sql`select 1 from ${sql.table(lockTable)} where id = ${lockRowId} for update`.execute(db)
  }

  override async releaseMigrationLock(): Promise<void> {
    // The end of the transaction releases it.
  }
}
