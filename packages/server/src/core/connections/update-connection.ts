import type { AuthMethod, ConnectionUpdate, GrantType } from '@authconn/shared'
import { requireAllSubjects, requirePermission } from '../callers/permissions.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { places } from '../crypto/places.ts'
import { AuthconnError } from '../errors.ts'
import type { Caller, Connection, ConnectionChanges, ConnectionStore, ConnectionWithGrant } from '../ports.ts'
import { type ClientCredential, fromSealable, methodsFor, toSealable } from './client-credential.ts'
import { getConnection } from './read-connections.ts'
import { readCredential, requireMethod } from './read-credential.ts'
import { requireSigningKey } from './read-token-request.ts'

export type UpdateConnection = (by: Caller, name: string, wanted: ConnectionUpdate) => Promise<ConnectionWithGrant>

/** Seconds for which the former credential is kept, unless told otherwise. */
const defaultOverlap = 7 * 86_400
/** Seconds over which the grants are tried again that had stopped over a refused client. */
const unblockSpread = 10

/**
 * Changes how a connection's client authenticates; its grants are refreshed again if that had stopped them.
 * Throws permission_denied, connection_not_found, invalid_request, client_key_invalid, sealed_value_damaged.
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
    const given = readCredential(wanted)
    if (wanted.overlap !== undefined && !given) {
      throw new AuthconnError(
        'invalid_request',
        '/body/overlap is of no use without a new client_secret or client_key',
      )
    }
    const { connection } = await getConnection(connections, by, name)
    const sealed = await keyring.open(places.clientSecret(connection), connection.clientSecret)
    const former = fromSealable(sealed).credential
    const credential = given?.credential ?? former
    const { grantType } = connection
    requireSigningKey(credential, grantType)
    requireMethod(credential, wanted.token_endpoint_auth_method, grantType)
    const method =
      wanted.token_endpoint_auth_method ?? methodAfter(connection.tokenEndpointAuthMethod, credential, grantType)

    const changes: ConnectionChanges = {}
    if (method !== connection.tokenEndpointAuthMethod) changes.tokenEndpointAuthMethod = method
    // Saying it twice must not lose the one before.
    const isNew = given && toSealable(given.credential).reveal() !== sealed.reveal()
    if (given && (isNew || wanted.overlap === 0)) {
      changes.clientSecret = {
        current: await keyring.seal(places.clientSecret(connection), toSealable(given.credential)),
        clientKey: given.facts,
        former: await keepFormer(connection, former, method, wanted.overlap ?? defaultOverlap),
      }
    }
    if (!(await connections.update(connection.id, changes, unblockSpread))) {
      throw new AuthconnError('connection_not_found')
    }
    return getConnection(connections, by, name)
  }

  /** A sealed value opens in its own column only, so the former credential is sealed anew. */
  async function keepFormer(
    connection: Connection,
    former: ClientCredential,
    method: AuthMethod,
    seconds: number,
  ) {
    if (seconds === 0) return null
    const { tokenEndpointAuthMethod: formerMethod } = connection
    // A secret is used as the new one is; what cannot be used so goes on authenticating as it did.
    const kept = methodsFor(former, connection.grantType).includes(method) ? undefined : formerMethod
    return { sealed: await keyring.seal(places.formerClientSecret(connection), toSealable(former, kept)), seconds }
  }
}

/** As before where the credential can be used so, and otherwise in the way that is usual for it. */
function methodAfter(before: AuthMethod, credential: ClientCredential, grantType: GrantType): AuthMethod {
  const [usual = before, ...others] = methodsFor(credential, grantType)
  return others.includes(before) ? before : usual
}
