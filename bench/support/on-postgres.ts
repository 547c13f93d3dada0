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

async function connected<T>(url: string, use: (db: Database) => Promise<T>): Promise<T> {
  const { db, close } = await openDatabase({ url, poolSize: 1 }, silent)
  try {
    return await use(db)
  } finally {
    await close()
  }
}
