import { type Dialect, Kysely } from 'kysely'
import type { Log } from '../../core/ports.ts'
import { runPeriodically } from '../../jobs/run-periodically.ts'
import type { Database, Tables } from './database.ts'
import { createPgDialect, createPgliteDialect, type PoolState } from './dialects.ts'
import { createEmbeddedUpkeep } from './embedded-upkeep.ts'

/** Longer than anything a request asks of the database, shorter than what its caller waits. */
const defaultQueryTimeoutMs = 15_000

export interface OpenDatabase {
  db: Database
  kind: 'pglite' | 'postgres'
  /** Gives work such as a migration a database whose queries may take as long as they need. */
  withoutTimeLimit<T>(work: (db: Database) => Promise<T>): Promise<T>
  /** undefined: the embedded database, which has no pool. */
  poolState: (() => PoolState) | undefined
  close(): Promise<void>
}

/** Connects to PostgreSQL, or opens the embedded PGlite in a directory. */
export async function openDatabase(
  at: { url: string; poolSize: number; queryTimeoutMs?: number } | { directory: string },
  log: Log,
): Promise<OpenDatabase> {
  if ('url' in at) {
    const { dialect, poolState } = await createPgDialect({ queryTimeoutMs: defaultQueryTimeoutMs, ...at }, log)
    const db = createDatabase(dialect)
    return {
      db,
      kind: 'postgres',
      poolState,
      async withoutTimeLimit(work) {
        const patient = createDatabase(
          (await createPgDialect({ url: at.url, poolSize: 1, queryTimeoutMs: null }, log)).dialect,
        )
        try {
          return await work(patient)
        } finally {
          await patient.destroy()
        }
      },
      close: () => db.destroy(),
    }
  }
  const db = createDatabase(await createPgliteDialect(at.directory))
  const { checkpoint, vacuum } = createEmbeddedUpkeep(db, log)
  const jobs = [
    runPeriodically('checkpoint the embedded database', 1, checkpoint, log),
    runPeriodically('vacuum the embedded database', 60, vacuum, log),
  ]
  return {
    db,
    kind: 'pglite',
    withoutTimeLimit: (work) => work(db),
    poolState: undefined,
    async close() {
      await Promise.all(jobs.map((stop) => stop()))
      await db.destroy()
    },
  }
}

function createDatabase(dialect: Dialect): Database {
  return new Kysely<Tables>({ dialect })
}
