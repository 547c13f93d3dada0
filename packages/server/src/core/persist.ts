/** Pauses between attempts, in milliseconds: some twenty seconds in all, in which most failovers are over. */
const pauses = [50, 100, 200, 500, 1000, 2000, 4000, 4000, 4000, 4000]

/**
 * Writes what must not be lost, again and again while the database fails: a provider may have ended the former refresh
 * token with the answer that is to be stored. `write` must be harmless to repeat. Throws what the last attempt threw.
 */
export async function persist<T>(write: () => Promise<T>, sleep: (ms: number) => Promise<unknown>): Promise<T> {
  for (const pause of pauses) {
    try {
      return await write()
    } catch {
      // The last attempt tells what is wrong.
      await sleep(pause)
    }
  }
  return write()
}
