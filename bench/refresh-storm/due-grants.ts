import { setTimeout as sleep } from 'node:timers/promises'
import { secondsFromNow } from '../../packages/server/src/adapters/postgres/grant-sql.ts'
import type { VaultDatabase } from './vault-database.ts'

const patienceMs = 300_000

/** In one moment, to which it resolves: milliseconds by the database's clock. */
export async function makeAllDue({ db }: VaultDatabase): Promise<number> {
  const rows = await db
    .updateTable('grants')
    .set({ refresh_due_at: secondsFromNow(0) })
    .returning('refresh_due_at')
    .execute()
  return rows[0]?.refresh_due_at?.getTime() ?? Number.NaN
}

/** Waits until these grants, or all, were refreshed for the first time, or have ended over it. */
export async function untilRefreshed({ db }: VaultDatabase, ids?: string[]): Promise<void> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    const left = await db
      .selectFrom('grants')
      .select('id')
      .where('generation', '=', 0)
      .$if(ids !== undefined, (query) => query.where('id', 'in', ids ?? []))
      .limit(1)
      .executeTakeFirst()
    if (!left) return
    if (performance.now() > deadline) throw new Error(`not all were refreshed in ${patienceMs / 1000} s`)
    await sleep(100)
  }
}
