import { Kysely } from 'kysely'
import type { Log } from '../../core/ports.ts'
import type { Database, Tables } from './database.ts'
import { createPgDialect, createPgliteDialect } from './dialects.ts'

export interface OpenDatabase {
  db: Database
  kind: 'pglite' | 'postgres'
  close(): Promise<void>
}

/** Connects to PostgreSQL, or opens the embedded PGlite in a directory (in memory when that is null). */
export async function openDatabase(
  at: { url: string; poolSize: number } | { directory: string | null },
  log: Log,
): Promise<OpenDatabase> {
  if ('url' in at) {
    const dialect = await createPgDialect(at, log)
    const db: Database = new Kysely<Tables>({ dialect })
    return { db, kind: 'postgres', close: () => db.destroy() }
  }
  const dialect = await createPgliteDialect(at.directory)
  const db: Database = new Kysely<Tables>({ dialect })
  return { db, kind: 'pglite', close: () => db.destroy() }
}
