/**
 * Pauses between attempts, in milliseconds; the last is repeated. Short, since leases run out while the database is away:
 * once it is back, this write must come before another replica's attempt.
 */
const pauses = [50, 100, 200, 300]

/** Milliseconds after which it is given up: most failovers and restarts are over by then. */
export const patience = 120_000

/**
 * Writes what must not be lost, again and again while the database fails: a provider may have ended the former refresh
 * token with the answer that is to be stored. `write` must be harmless to repeat. Throws what the last attempt threw.
 */
export async function persist<T>(write: () => Promise<T>, sleep: (ms: number) => Promise<unknown>): Promise<T> {
  const until = performance.now() + patience
  for (let attempt = 0; ; attempt++) {
    try {
      return await write()
    } catch (error) {
      if (performance.now() > until) throw error
      await sleep(pauses[attempt] ?? pauses.at(-1) ?? 0)
    }
  }
}
