import { requirePermission } from '../callers/permissions.ts'
import { getConnection } from '../connections/read-connections.ts'
import { AuthconnError } from '../errors.ts'
import type { GrantNow, GrantStore } from '../grant-port.ts'
import type { Caller, Connection, ConnectionStore } from '../ports.ts'
import { getGrant } from './get-grant.ts'
import { lastFailure, type RefreshGrant } from './refresh-grant.ts'
import { decide } from './refresh-policy.ts'

export type CreateGrant = (by: Caller, connectionName: string, subject: string) => Promise<GrantNow>

/**
 * Fetches a token where nobody's consent is needed, also after a revocation or a refusal; a token that was fetched a moment
 * ago is as good. Throws permission_denied, connection_not_found, grant_type_mismatch, invalid_request, grant_revoked, and
 * what RefreshGrant throws.
 */
export function createCreateGrant(deps: {
  connections: Pick<ConnectionStore, 'find'>
  grants: GrantStore
  refreshGrant: RefreshGrant
}): CreateGrant {
  const { connections, grants } = deps

  return async function createGrant(by, connectionName, subject) {
    requirePermission(by, 'connection:authorize', { connection: connectionName, subject })
    const { connection } = await getConnection(connections, by, connectionName)
    if (!connection.tokenRequest) {
      throw new AuthconnError('grant_type_mismatch', `"${connectionName}" needs somebody's consent`)
    }
    requireNoSubject(connection, subject)
    const made = await grants.ensure(connection, subject)
    if (!made) throw new AuthconnError('connection_not_found', 'The connection was deleted meanwhile')
    await grants.reopen(made.id)
    const { grant, now } = await getGrant(grants, made.id)
    switch (decide(grant, now, { force: true })) {
      case 'serve':
      case 'serve_and_refresh':
        return { grant, now }
      case 'refresh':
        return deps.refreshGrant(connection, grant, { forced: true })
      default:
        throw grant.status === 'revoked' ? new AuthconnError('grant_revoked') : lastFailure({ grant, now })
    }
  }
}

/** Throws invalid_request where the tokens of a connection are nobody's but the client's own. */
export function requireNoSubject({ name, grantType }: Connection, subject: string): void {
  if (grantType !== 'client_credentials' || subject === '') return
  throw new AuthconnError(
    'invalid_request',
    `subject: the tokens of "${name}" are the client's own, and no user's`,
  )
}
