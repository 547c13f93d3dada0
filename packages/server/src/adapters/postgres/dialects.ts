import { type Dialect, type Kysely, PGliteDialect, PostgresAdapter, PostgresDialect, sql } from 'kysely'
import type { Log } from '../../core/ports.ts'

/** Both drivers load only when they are used: the embedded database alone is some 25 MB of WebAssembly. */
export async function createPgDialect(at: { url: string; poolSize: number }, log: Log): Promise<Dialect> {
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({
    connectionString: at.url,
    max: at.poolSize,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    application_name: 'authconn',
  })
  // Without a listener a connection that breaks while idle would end the process.
  pool.on('error', (error) => log.warn({ error }, 'an idle database connection broke'))
  return new PoolerSafePostgresDialect({ pool })
}

export async function createPgliteDialect(directory: string | null): Promise<Dialect> {
  const { PGlite } = await import('@electric-sql/pglite')
  return new PGliteDialect({ pglite: () => (directory === null ? new PGlite() : new PGlite(directory)) })
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
