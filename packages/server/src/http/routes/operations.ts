import { proveVault } from '@authconn/shared/local'
import { AuthconnError } from '../../core/errors.ts'
import type { Secret } from '../../core/secret.ts'
import type { Handlers } from '../operation.ts'

export function operationsRoutes(deps: {
  /** Rejects when the database does not answer. */
  pingDatabase(): Promise<void>
  isOverloaded(): boolean
  /** What this process alone shares with the credentials file. */
  proofKey: Secret
}): Pick<Handlers, 'getHealth' | 'getReadiness'> {
  return {
    async getHealth({ query: { challenge } }) {
      if (challenge === undefined) return { status: 'ok' }
      return { status: 'ok', proof: proveVault(deps.proofKey.reveal(), challenge) }
    },
    async getReadiness() {
      if (deps.isOverloaded()) {
        throw new AuthconnError('not_ready', 'The vault has more to do than it can', { retryAfter: 2 })
      }
      await deps.pingDatabase().catch((cause) => {
        throw new AuthconnError('not_ready', 'The database does not answer', { cause, retryAfter: 2 })
      })
      return { status: 'ok' }
    },
  }
}
