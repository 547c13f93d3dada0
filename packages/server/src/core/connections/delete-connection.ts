import { requireAllSubjects, requirePermission } from '../callers/permissions.ts'
import { AuthconnError } from '../errors.ts'
import type { GrantStore } from '../grant-port.ts'
import type { RevokedGrant, RevokedLocally, RevokeLocally } from '../grants/revoke-grant.ts'
import type { RevokeUpstream } from '../grants/revoke-upstream.ts'
import type { Caller, Connection, ConnectionStore, Log } from '../ports.ts'
import { getConnection } from './read-connections.ts'

export type DeleteConnection = (
  by: Caller,
  name: string,
) => Promise<{ connection: Connection; revocations: RevokedGrant[] }>

const mostReported = 100
/** Grants whose revocation is tried at the provider before the answer; the others are left to the background job. */
const mostAtOnce = 10

/**
 * Deletes a connection and all its grants; what the provider has not revoked yet is retried in the background.
 * Throws permission_denied, connection_not_found.
 */
export function createDeleteConnection(deps: {
  connections: ConnectionStore
  grants: GrantStore
  revokeLocally: RevokeLocally
  revokeUpstream: RevokeUpstream
}): DeleteConnection {
  return async function deleteConnection(by, name) {
    requirePermission(by, 'connection:manage', { connection: name })
    requireAllSubjects(by, 'connection:manage')
    const { connection } = await getConnection(deps.connections, by, name)
    // From here on nothing is served any more; a crash leaves the rest to the background job.
    if (!(await deps.connections.markDeleted(connection.id))) throw new AuthconnError('connection_not_found')
    const revoked: RevokedLocally[] = []
    for (const grant of await deps.grants.listWithTokens(connection.id)) {
      revoked.push(await deps.revokeLocally(connection, grant))
    }
    const revocations = await Promise.all(revoked.slice(0, mostReported).map(report))
    await deps.connections.purgeDeleted()
    return { connection, revocations }
  }

  /** In parallel, so that a provider that hangs costs the time of one call and not of all. */
  async function report({ grant, queued }: RevokedLocally, index: number): Promise<RevokedGrant> {
    if (!('revocationId' in queued)) return { grant, ...queued }
    if (index >= mostAtOnce) return { grant, upstream: 'retrying', detail: null }
    return { grant, ...(await deps.revokeUpstream(queued.revocationId)) }
  }
}

/** One round that finishes deletions which a crash interrupted, and removes those that are through. */
export function createFinishDeletions(deps: {
  connections: ConnectionStore
  grants: GrantStore
  revokeLocally: RevokeLocally
  log: Log
}): (signal: AbortSignal) => Promise<void> {
  return async function finishDeletions(signal) {
    for (const connection of await deps.connections.listHalfDeleted(20)) {
      if (signal.aborted) return
      await finish(connection).catch((error) => {
        // One that cannot be finished must not keep the others.
        deps.log.error({ error, connection: connection.id }, 'could not finish the deletion of a connection')
      })
    }
    await deps.connections.purgeDeleted()
  }

  async function finish(connection: Connection): Promise<void> {
    for (const grant of await deps.grants.listWithTokens(connection.id))
      await deps.revokeLocally(connection, grant)
  }
}
