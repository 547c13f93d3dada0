import { sql } from 'kysely'
import type { Database } from './database.ts'

/** Bytes of write-ahead log after which it begins anew. Everything waits for that: for some 25 ms, with four times as much 75. */
const mostLog = 16 * 1024 * 1024

export interface EmbeddedUpkeep {
  /** Brings what the write-ahead log has grown by to the tables' files, so that its own are used again. */
  checkpoint(): Promise<void>
  /**
   * Gives free what deleted and changed rows took, and counts for the planner: a table at a time, where much has changed.
   * The partitions of the audit log are only added to and go as a whole; they are left alone until their rows are old.
   */
  vacuum(signal: AbortSignal): Promise<void>
}

/**
 * What a PostgreSQL server has processes of its own for, by its own measures. The embedded database is one process and has
 * none of them: left alone, its log and its tables grow for as long as it is used.
 */
export function createEmbeddedUpkeep(db: Database): EmbeddedUpkeep {
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
      const { rows } = await sql<Due>`
        select format('%I.%I', schemaname, relname) as name, rows_changed as "isOfRows"
        from (
          select s.schemaname, s.relname,
            age(relfrozenxid) > 200000000 or not relispartition
              and (n_dead_tup > 50 + 0.2 * greatest(reltuples, 0) or ${isFirst} and s.schemaname = 'public') as rows_changed,
            not relispartition and n_mod_since_analyze > 50 + 0.1 * greatest(reltuples, 0) as contents_changed
          from pg_stat_all_tables s join pg_class c on c.oid = s.relid
          where relkind = 'r'
        ) as seen
        where rows_changed or contents_changed
      `.execute(db)
      for (const { name, isOfRows } of rows) {
        if (signal.aborted) return
        await sql`${sql.raw(isOfRows ? 'vacuum (analyze)' : 'analyze')} ${sql.raw(name)}`.execute(db)
      }
      isFirst = false
    },
  }
}

interface Due {
  name: string
  /** Its rows have left room behind, or are old; and not only its contents have changed. */
  isOfRows: boolean
}
