import { AuthconnError } from '../../core/errors.ts'
import type { Handlers } from '../operation.ts'

export function operationsRoutes(deps: {
  /** Rejects when the database does not answer. */
  pingDatabase(): Promise<void>
  isStopping(): boolean
}): Pick<Handlers, 'getHealth' | 'getReadiness'> {
  return {
    async getHealth() {
      return { status: 'ok' }
    },
    async getReadiness() {
      if (deps.isStopping()) throw new AuthconnError('not_ready', 'The vault is stopping', { retryAfter: 5 })
      await deps.pingDatabase().catch((cause) => {
        throw new AuthconnError('not_ready', 'The database does not answer', { cause, retryAfter: 2 })
      })
      return { status: 'ok' }
    },
  }
}
