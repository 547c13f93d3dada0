import { sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import { AuthconnError } from '../../core/errors.ts'
import type { Database } from './database.ts'
import { migrations as released } from './migrations/index.ts'

const attempts = 5

/**
 * Runs the migrations that are missing, all in one transaction: a crash in the middle leaves nothing, and of several
 * replicas that start at once one migrates while the others wait on the lock row. Resolves to the names it ran.
 * Throws schema_too_new.
 */
export async function migrate(db: Database, migrations = released): Promise<string[]> {
  if ((await pendingMigrations(db, migrations)).length === 0) return []
  for (let attempt = 1; ; attempt++) {
    try {
      return await migrateOnce(db, migrations)
    } catch (error) {
      if (attempt === attempts || !isCreationRace(error)) throw error
    }
  }
}

/** The names of the migrations that have not run yet. Throws schema_too_new. */
export async function pendingMigrations(db: Database, migrations = released): Promise<string[]> {
  const known = Object.keys(migrations)
  const executed = await executedMigrations(db)
  const unknown = executed.filter((name) => !known.includes(name))
  if (unknown.length > 0) {
    throw new AuthconnError(
      'schema_too_new',
      `The database has migrations this version does not know: ${unknown.join(', ')}`,
    )
  }
  return known.filter((name) => !executed.includes(name))
}

async function executedMigrations(db: Database): Promise<string[]> {
  const table = await sql<{ found: boolean }>`select to_regclass('kysely_migration') is not null as found`.execute(
    db,
  )
  if (!table.rows[0]?.found) return []
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db)
  return rows.map((row) => row.name)
}

async function migrateOnce(db: Database, migrations: typeof released): Promise<string[]> {
  return db.transaction().execute(async (trx) => {
    const migrator = new Migrator({ db: trx, provider: { getMigrations: async () => migrations } })
    const { error, results } = await migrator.migrateToLatest()
    // Thrown so that the transaction rolls back as a whole.
    if (error) throw error
    return (results ?? []).map((result) => result.migrationName)
  })
}

/** Two replicas created the migration tables at the same moment: PostgreSQL lets one fail in spite of IF NOT EXISTS. */
function isCreationRace(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return code === '23505' || code === '42P07' || code === '25P02' || code === '40001'
}
