import { requirePermission } from '../callers/permissions.ts'
import { AuthconnError } from '../errors.ts'
import type { RevokedGrant, RevokeTokens } from '../grants/revoke-grant.ts'
import type { Caller, Connection, ConnectionStore, GrantStore } from '../ports.ts'
import { getConnection } from './read-connections.ts'

interface Deps {
  connections: ConnectionStore
  grants: GrantStore
  revokeTokens: RevokeTokens
}

export type DeleteConnection = (
  by: Caller,
  name: string,
) => Promise<{ connection: Connection; revocations: RevokedGrant[] }>

const reported = 100

/**
 * Deletes a connection and all its grants; what the provider has not revoked yet is retried in the background.
 * Throws permission_denied, connection_not_found.
 */
export function createDeleteConnection(deps: Deps): DeleteConnection {
  return async function deleteConnection(by, name) {
    requirePermission(by, 'connection:manage', { connection: name })
    const { connection } = await getConnection(deps.connections, by, name)
    // From here on nothing is served any more; a crash leaves the revocations to the background job.
    if (!(await deps.connections.markDeleted(connection.id))) throw new AuthconnError('connection_not_found')
    const revocations: RevokedGrant[] = []
    for (const grant of await deps.grants.listWithTokens(connection.id)) {
      const revoked = await deps.revokeTokens(connection, grant, { now: revocations.length < reported })
      if (revocations.length < reported) revocations.push(revoked)
    }
    await deps.connections.purgeDeleted()
    return { connection, revocations }
  }
}

/** One round that finishes deletions which a crash interrupted, and removes those that are through. */
export function createFinishDeletions(deps: Deps): () => Promise<void> {
  return async function finishDeletions() {
    for (const connection of await deps.connections.listHalfDeleted(20)) {
      for (const grant of await deps.grants.listWithTokens(connection.id)) {
        await deps.revokeTokens(connection, grant, { now: false })
      }
    }
    await deps.connections.purgeDeleted()
  }
}
