import type { Database } from '../../packages/server/src/adapters/postgres/database.ts'
import { openDatabase } from '../../packages/server/src/adapters/postgres/open-database.ts'
import { runSql } from '../../packages/server/test/support/run-sql.ts'
import { silent } from './filled-vault.ts'
import { parentOf } from './processors.ts'

/** The process that all of a PostgreSQL's on this machine are children of. */
export function postmasterOf(url: string): Promise<number> {
  return connected(url, async (db) => {
    const [row] = await runSql<{ pid: number }>(db, 'select pg_backend_pid() as pid')
    // While it is there: it goes with the connection.
    const postmaster = await parentOf(row?.pid ?? 0)
    if (postmaster === undefined) throw new Error('the processes of PostgreSQL are not to be seen from here')
    return postmaster
  })
}

export function countRows(url: string, table: string): Promise<number> {
  return connected(url, async (db) => {
    const [row] = await runSql<{ count: number }>(db, `select count(*)::integer as count from ${table}`)
    return row?.count ?? 0
  })
}

const logSegments = 48

/**
 * Has the segments of its write-ahead log made that the measurements will fill. A server in use has them from before its
 * last checkpoints. A new one makes each when it gets there: 16 MB of zeros and their sync, which every commit waits for.
 * `url` is of a superuser.
 */
export async function makeLogSegments(url: string): Promise<void> {
  await connected(url, async (db) => {
    // The checkpoint deletes what is beyond this.
    await runSql(db, "alter system set min_wal_size = '1GB'")
    await runSql(db, 'select pg_reload_conf()')
    for (let segment = 0; segment < logSegments; segment++) {
      // Nothing is switched where nothing was written.
      await runSql(db, "select pg_logical_emit_message(true, 'bench', '')")
      await runSql(db, 'select pg_switch_wal()')
    }
    await runSql(db, 'checkpoint')
  })
}

async function connected<T>(url: string, use: (db: Database) => Promise<T>): Promise<T> {
  const { db, close } = await openDatabase({ url, poolSize: 1 }, silent)
  try {
    return await use(db)
  } finally {
    await close()
  }
}
