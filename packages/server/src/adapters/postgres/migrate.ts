import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import { AuthconnError } from '../../core/errors.ts'
import type { Database } from './database.ts'
import { migrations as released } from './migrations/index.ts'

const attempts = 5
/** Milliseconds between two attempts to get the locks: vaults that serve meanwhile catch up with what had to wait. */
const pause = 3_000

/**
 * Runs the migrations that are missing, all in one transaction: a crash in the middle leaves nothing, and of several
 * replicas that start at once one migrates while the others wait on the lock row. A lock on a table is waited for two seconds,
 * as all that is asked of the tables which are locked already waits as long: behind a backup it lets go of everything, and
 * tries again. Resolves to the names it ran. Throws schema_too_new, and database_unavailable when locks cannot be had.
 */
export async function migrate(
  db: Database,
  migrations = released,
  locks: {
    /** Milliseconds for which it tries again. */
    patience: number
    /** `holders`: whose locks they may be. */
    onWait(holders: string): void
  } = { patience: 0, onWait() {} },
): Promise<string[]> {
  if ((await pendingMigrations(db, migrations)).length === 0) return []
  const until = performance.now() + locks.patience
  for (let attempt = 1; ; ) {
    try {
      return await migrateOnce(db, migrations)
    } catch (error) {
      if (isCreationRace(error) && attempt++ < attempts) continue
      if (!isLockTrouble(error)) throw error
      const holders = await findHolders(db)
      if (performance.now() + pause > until) {
        const detail = `The tables to migrate are locked by others, as by a backup (${holders}): migrate when they have ended`
        throw new AuthconnError('database_unavailable', detail, { cause: error })
      }
      locks.onWait(holders)
      await sleep(pause)
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
    const migrator = new Migrator({ db: trx, provider: { getMigrations: async () => impatient(migrations) } })
    const { error, results } = await migrator.migrateToLatest()
    // Thrown so that the transaction rolls back as a whole.
    if (error) throw error
    return (results ?? []).map((result) => result.migrationName)
  })
}

/** Only inside of a migration: the lock row that replicas wait on is that of one which migrates, however long it takes. */
function impatient(migrations: typeof released): typeof released {
  return Object.fromEntries(
    Object.entries(migrations).map(([name, { up }]) => [
      name,
      {
        async up(db) {
          await sql`set local lock_timeout = '2s'`.execute(db)
          await up(db)
        },
      },
    ]),
  )
}

/** Sessions that hold locks on tables of the vault now, by what everybody may see of them. */
async function findHolders(db: Database): Promise<string> {
  const { rows } = await sql<{ pid: number; name: string }>`
    select distinct pid, coalesce(nullif(application_name, ''), 'without a name') as name
    from pg_locks join pg_stat_activity using (pid) join pg_class on pg_class.oid = relation
    where granted and pid <> pg_backend_pid() and relnamespace = current_schema()::regnamespace
    limit 5`.execute(db)
  return rows.map(({ pid, name }) => `process ${pid} ${name}`).join(', ') || 'gone by now'
}

/** A lock that was not to be had in time, or only with a deadlock. */
function isLockTrouble(error: unknown): boolean {
  return codeOf(error) === '55P03' || codeOf(error) === '40P01'
}

/** Two replicas created the migration tables at the same moment: PostgreSQL lets one fail in spite of IF NOT EXISTS. */
function isCreationRace(error: unknown): boolean {
  const code = codeOf(error)
  return code === '23505' || code === '42P07' || code === '25P02' || code === '40001'
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
}
