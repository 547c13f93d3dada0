import { errorTable } from '@authconn/shared/errors'
import { AuthconnError } from './core/errors.ts'
import type { Log } from './core/ports.ts'

export interface Background {
  add(work: Promise<unknown>): void
  /** Resolves when all that was added is over. */
  settle(): Promise<void>
}

/** Keeps account of work that goes on after its answer, so that a shutdown can wait for it. */
export function createBackground(log: Log): Background {
  const running = new Set<Promise<unknown>>()
  return {
    add(work) {
      const watched = work
        .catch((error) => {
          if (!isExpected(error)) log.error({ error }, 'work in the background failed')
        })
        .finally(() => running.delete(watched))
      running.add(watched)
    },
    async settle() {
      await Promise.all(running)
    },
  }
}

/** A refresh that failed at the provider, say: core has logged it with the grant it belongs to. */
function isExpected(error: unknown): boolean {
  return error instanceof AuthconnError && errorTable[error.code].kind !== 'internal'
}
