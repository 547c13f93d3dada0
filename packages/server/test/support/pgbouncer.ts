import { findProgram } from './find-program.ts'
import { type KeptServer, startKeptServer } from './start-kept-server.ts'

/** undefined on a machine without. */
export const findPgbouncer = () => findProgram('pgbouncer')

/**
 * Starts a PgBouncer in transaction mode on a free port of this machine, in front of the server of a database.
 * The URL is that of the same database with the same user. `poolSize` is how many connections to the server it keeps
 * for each database.
 */
export async function startPgbouncer(
  databaseUrl: string,
  { poolSize = 20 }: { poolSize?: number } = {},
): Promise<KeptServer> {
  return startKeptServer('PgBouncer', new URL('pgbouncer.process.ts', import.meta.url), {
    // Not as arguments, which every user of the machine can read.
    PGBOUNCER_DATABASE_URL: databaseUrl,
    PGBOUNCER_POOL_SIZE: String(poolSize),
  })
}
