import type { TestProject } from 'vitest/node'
import { type EmptyDatabase, keepEmptyDatabase } from './empty-database.ts'
import { startPostgres } from './postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Superuser's URL of a PostgreSQL 18 that lives as long as the test run. */
    postgresUrl: string
    /** What an embedded database is copied from. */
    emptyDatabase: EmptyDatabase
  }
}

/** Gives every test run a real PostgreSQL, and something to copy embedded databases from. Returns what ends it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  project.provide('emptyDatabase', await keepEmptyDatabase())
  const postgres = await startPostgres()
  project.provide('postgresUrl', postgres.url)
  return postgres.stop
}
