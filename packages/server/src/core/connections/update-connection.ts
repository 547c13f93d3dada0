import type { ConnectionUpdate } from '@authconn/shared'
import { requireAllSubjects, requirePermission } from '../callers/permissions.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { places } from '../crypto/places.ts'
import { AuthconnError } from '../errors.ts'
import type { Caller, Connection, ConnectionChanges, ConnectionStore, ConnectionWithGrant } from '../ports.ts'
import { Secret } from '../secret.ts'
import { getConnection } from './read-connections.ts'

export type UpdateConnection = (by: Caller, name: string, wanted: ConnectionUpdate) => Promise<ConnectionWithGrant>

/** Seconds for which the former client secret is kept, unless told otherwise. */
const defaultOverlap = 7 * 86_400
/** Seconds over which the grants are tried again that had stopped over a refused client. */
const unblockSpread = 10

/**
 * Changes how a connection's client authenticates; its grants are refreshed again if that had stopped them.
 * Throws permission_denied, connection_not_found, invalid_request, sealed_value_damaged.
 */
export function createUpdateConnection(deps: {
  connections: ConnectionStore
  keyring: Keyring
}): UpdateConnection {
  const { connections, keyring } = deps

  return async function updateConnection(by, name, wanted) {
    requirePermission(by, 'connection:manage', { connection: name })
    // It is the client of them all.
    requireAllSubjects(by, 'connection:manage')
    if (wanted.overlap !== undefined && wanted.client_secret === undefined) {
      throw new AuthconnError('invalid_request', '/body/overlap is of no use without a new client_secret')
    }
    const { connection } = await getConnection(connections, by, name)
    const changes: ConnectionChanges = {}
    if (wanted.token_endpoint_auth_method) changes.tokenEndpointAuthMethod = wanted.token_endpoint_auth_method
    if (wanted.client_secret !== undefined) {
      const secret = await changeSecret(connection, new Secret(wanted.client_secret), wanted.overlap)
      if (secret) changes.clientSecret = secret
    }
    if (!(await connections.update(connection.id, changes, unblockSpread))) {
      throw new AuthconnError('connection_not_found')
    }
    return getConnection(connections, by, name)
  }

  /** Undefined when it is the one there already: saying it twice must not lose the one before. */
  async function changeSecret(
    connection: Connection,
    secret: Secret,
    overlap = defaultOverlap,
  ): Promise<ConnectionChanges['clientSecret']> {
    const former = await keyring.open(places.clientSecret(connection), connection.clientSecret)
    if (former.reveal() === secret.reveal() && overlap > 0) return undefined
    return {
      current: await keyring.seal(places.clientSecret(connection), secret),
      // A sealed value opens in its own column only.
      former:
        overlap === 0
          ? null
          : { sealed: await keyring.seal(places.formerClientSecret(connection), former), seconds: overlap },
    }
  }
}
