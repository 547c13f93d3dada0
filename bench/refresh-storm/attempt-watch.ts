import { setTimeout as sleep } from 'node:timers/promises'
import type { VaultDatabase } from './vault-database.ts'

export interface AttemptWatch {
  /** When attempts on a grant began that lasted long enough to be seen, as milliseconds since the epoch. */
  of(grantId: string): number[]
  stop(): Promise<void>
}

/** Shorter than what a lease has left when its holder is killed: all attempts are seen that somebody must take up. */
const pauseMs = 200

/** Notes which attempts there are, since a row tells of the first that was interrupted and of the last alone. */
export function watchAttempts({ db }: VaultDatabase): AttemptWatch {
  const seen = new Map<string, Set<number>>()
  const stopping = new AbortController()

  async function watch(): Promise<void> {
    while (!stopping.signal.aborted) {
      const rows = await db
        .selectFrom('grants')
        .select(['id', 'attempted_at'])
        .where('attempted_at', 'is not', null)
        .execute()
      for (const { id, attempted_at } of rows) {
        const attempts = seen.get(id) ?? new Set()
        if (attempted_at) seen.set(id, attempts.add(attempted_at.getTime()))
      }
      await sleep(pauseMs)
    }
  }

  const watching = watch()
  return {
    of: (grantId) => [...(seen.get(grantId) ?? [])],
    async stop() {
      stopping.abort()
      await watching
    },
  }
}
