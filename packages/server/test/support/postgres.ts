import { type KeptServer, startKeptServer } from './start-kept-server.ts'

/** Starts a throw-away PostgreSQL 18 on a free port; the URL connects as superuser to the `postgres` database. */
export async function startPostgres(): Promise<KeptServer> {
  return startKeptServer('PostgreSQL', new URL('postgres.process.ts', import.meta.url))
}
