import { type KeptServer, startKeptServer } from './start-kept-server.ts'

/**
 * Starts a throw-away PostgreSQL 18 on a free port; the URL connects as superuser to the `postgres` database.
 * `durable` has it sync what it writes, as one does that is to be measured; without, it is faster and keeps nothing.
 */
export async function startPostgres({ durable = false }: { durable?: boolean } = {}): Promise<KeptServer> {
  return startKeptServer('PostgreSQL', new URL('postgres.process.ts', import.meta.url), {
    POSTGRES_DURABLE: String(durable),
  })
}
