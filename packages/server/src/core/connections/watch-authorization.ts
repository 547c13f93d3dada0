import { AuthconnError } from '../errors.ts'
import type { Authorization, AuthorizationStore, Caller } from '../ports.ts'
import { getOwnAuthorization } from './complete-authorization.ts'

export interface WatchAuthorization {
  /** Throws authorization_not_found. */
  get(by: Caller, id: string): Promise<Authorization>
  /** Throws authorization_not_found, authorization_over. */
  cancel(by: Caller, id: string): Promise<Authorization>
}

export function createWatchAuthorization(deps: { authorizations: AuthorizationStore }): WatchAuthorization {
  return {
    get: (by, id) => getOwnAuthorization(deps.authorizations, by, id),
    async cancel(by, id) {
      const authorization = await getOwnAuthorization(deps.authorizations, by, id)
      const failure = 'Cancelled by the caller that began it'
      if (!(await deps.authorizations.fail(id, failure, 'authorization_over'))) {
        throw new AuthconnError('authorization_over', `This authorization is ${authorization.status}`)
      }
      return { ...authorization, status: 'failed', failure, failureCode: 'authorization_over' }
    },
  }
}
