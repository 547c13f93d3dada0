import { sql } from 'kysely'
import type { Log } from '../../core/ports.ts'
import type { Database } from './database.ts'

export interface UpkeepLimits {
  /** Bytes of write-ahead log after which it begins anew. Everything waits for that: for some 25 ms, with four times as much 75. */
  log: number
  /** Bytes of a table that is small enough to be vacuumed though nobody knows whether much of it has changed. */
  smallTable: number
  /** Transactions after which the rows of a table are old: they must be marked so before there are 2,000 million. */
  old: number
  /** Transactions after which a database that is not looked after here, such as a template, is said to be too old. */
  tooOld: number
}

const limits: UpkeepLimits = {
  log: 16 * 1024 * 1024,
  smallTable: 32 * 1024 * 1024,
  old: 1_000_000_000,
  tooOld: 1_500_000_000,
}

export interface EmbeddedUpkeep {
  /** Brings what the write-ahead log has grown by to the tables' files, so that its own are used again. */
  checkpoint(): Promise<void>
  /**
   * Gives free what deleted and changed rows took, and counts for the planner: a table at a time, where much has changed.
   * Most partitions of the audit log are only added to and go as a whole; they are left alone until their rows are old.
   */
  vacuum(signal: AbortSignal): Promise<void>
}

/**
 * What a PostgreSQL server has processes of its own for. The embedded database is one process and has none of them: left
 * alone, its log and its tables grow for as long as it is used.
 */
export function createEmbeddedUpkeep(
  db: Database,
  log: Log,
  { log: mostLog, smallTable, old, tooOld }: UpkeepLimits = limits,
): EmbeddedUpkeep {
  /** What changed is counted from the start of the process: nobody knows what changed before. */
  let isFirst = true

  return {
    async checkpoint() {
      const { rows } = await sql<{ isDue: boolean }>`
        select pg_current_wal_insert_lsn() - redo_lsn > ${mostLog}::numeric as "isDue" from pg_control_checkpoint()
      `.execute(db)
      if (rows[0]?.isDue) await sql`checkpoint`.execute(db)
    },

    async vacuum(signal) {
      const due = await findDue(isFirst)
      isFirst = false
      for (const { name, isOfRows } of due) {
        if (signal.aborted) return
        // A table that is damaged, or was dropped meanwhile, is no reason to leave the others.
        await sql`${sql.raw(isOfRows ? 'vacuum (analyze)' : 'analyze')} ${sql.raw(name)}`
          .execute(db)
          .catch((error) => log.warn({ error, table: name }, 'a table of the embedded database was not vacuumed'))
      }
      await tellOfAge()
    },
  }

  async function findDue(isFirst: boolean): Promise<{ name: string; isOfRows: boolean }[]> {
    const { rows } = await sql<{ name: string; isOfRows: boolean }>`
      select format('%I.%I', schemaname, relname) as name, rows_changed as "isOfRows"
      from (
        select s.schemaname, s.relname,
          (n_dead_tup > 50 + 0.2 * greatest(reltuples, 0))
            or (age(relfrozenxid) > ${old}::bigint)
            or (${isFirst} and s.schemaname = 'public' and not relispartition
              and pg_table_size(s.relid) < ${smallTable}::bigint) as rows_changed,
          (not relispartition and n_mod_since_analyze > 50 + 0.1 * greatest(reltuples, 0)) as contents_changed
        from pg_stat_all_tables s join pg_class c on c.oid = s.relid
        where relkind = 'r'
      ) as seen
      where rows_changed or contents_changed
    `.execute(db)
    return rows
  }

  async function tellOfAge(): Promise<void> {
    const { rows } = await sql<{ transactions: number }>`
      select max(age(datfrozenxid)) as transactions from pg_database
    `.execute(db)
    const transactions = rows[0]?.transactions ?? 0
    if (transactions > tooOld) {
      log.error(
        { transactions },
        'the embedded database has had more transactions than it can tell apart for long: move to PostgreSQL',
      )
    }
  }
}
