import type { TestProject } from 'vitest/node'
import { startPostgres } from './postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Superuser's URL of a PostgreSQL 18 that lives as long as the test run. */
    postgresUrl: string
  }
}

/** Gives every test run a real PostgreSQL: `inject('postgresUrl')`. Returns what ends it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const postgres = await startPostgres()
  project.provide('postgresUrl', postgres.url)
  return postgres.stop
}
