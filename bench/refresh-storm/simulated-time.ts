import { setTimeout as sleep } from 'node:timers/promises'
import type { temporaryDatabase } from '../../packages/server/test/support/temporary-database.ts'

type TemporaryDatabase = ReturnType<typeof temporaryDatabase>

export interface SimulatedTime {
  /** Milliseconds since its beginning. */
  elapsed(): number
  /** What the database takes for the present, but for the time that a statement takes. */
  date(): Date
  /** Resolves after as much simulated time; rejects when the signal says so. */
  sleep(ms: number, signal?: AbortSignal): Promise<unknown>
  /** How much faster than real time it passes from now on. */
  setFactor(factor: number): Promise<void>
  factor(): number
}

/**
 * Makes time pass faster, here and in a database in which nothing has been made yet: its `now()` is a function that is
 * found before PostgreSQL's own, in every session that is opened later.
 */
export async function simulateTime(database: TemporaryDatabase, initialFactor: number): Promise<SimulatedTime> {
  const start = new Date()
  let factor = initialFactor
  let since = { real: performance.now(), elapsed: 0 }
  const elapsed = () => since.elapsed + (performance.now() - since.real) * factor

  await database.execute(`
    create schema sim;
    create table sim.clock (real_start timestamptz, start timestamptz, factor double precision);
    insert into sim.clock values (clock_timestamp(), '${start.toISOString()}', ${factor});
    create function sim.now() returns timestamptz language sql stable parallel safe as $$
      select start + (pg_catalog.now() - real_start) * factor from sim.clock
    $$;
    alter database ${database.name} set search_path = public, sim, pg_catalog`)
  since = { real: performance.now(), elapsed: 0 }

  return {
    elapsed,
    date: () => new Date(start.getTime() + elapsed()),
    sleep: (ms, signal) => sleep(ms / factor, undefined, signal ? { signal } : {}),
    factor: () => factor,
    async setFactor(next) {
      since = { real: performance.now(), elapsed: elapsed() }
      factor = next
      const at = new Date(start.getTime() + since.elapsed)
      await database.execute(
        `update sim.clock set real_start = clock_timestamp(), start = '${at.toISOString()}', factor = ${next}`,
      )
    },
  }
}
