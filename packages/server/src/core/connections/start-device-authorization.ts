import { randomUUID } from 'node:crypto'
import type { NewDeviceAuthorization } from '@authconn/shared'
import { requirePermission } from '../callers/permissions.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { places } from '../crypto/places.ts'
import { AuthconnError } from '../errors.ts'
import type { DeviceCodes, OAuth } from '../oauth-port.ts'
import type { Authorization, AuthorizationStore, Caller, ConnectionStore } from '../ports.ts'
import { Secret } from '../secret.ts'
import { callAsClient } from './oauth-client.ts'
import { toAuthconnError } from './provider-errors.ts'
import { getConnection } from './read-connections.ts'
import { requireConsent } from './start-authorization.ts'

export type StartDeviceAuthorization = (
  by: Caller,
  connectionName: string,
  wanted: NewDeviceAuthorization,
) => Promise<{ authorization: Authorization; shown: Omit<DeviceCodes, 'deviceCode'> }>

/** What an authorization by a device code keeps sealed until it ends. */
export interface DeviceSecrets {
  deviceCode: string
}

/**
 * Throws permission_denied, connection_not_found, grant_type_mismatch, device_authorization_unsupported,
 * authorization_request_rejected, client_rejected, provider_unavailable, provider_answer_invalid,
 * provider_address_refused, provider_host_not_allowed, sealed_value_damaged.
 */
export function createStartDeviceAuthorization(deps: {
  authorizations: AuthorizationStore
  connections: ConnectionStore
  keyring: Keyring
  oauth: Pick<OAuth, 'startDevice' | 'defaultScopes'>
}): StartDeviceAuthorization {
  const { authorizations, connections, keyring, oauth } = deps

  return async function startDeviceAuthorization(by, connectionName, wanted) {
    const subject = wanted.subject ?? ''
    requirePermission(by, 'connection:authorize', { connection: connectionName, subject })
    const { connection } = await getConnection(connections, by, connectionName)
    requireConsent(connection)
    if (!connection.endpoints.device_authorization_endpoint) {
      throw new AuthconnError('device_authorization_unsupported', `"${connectionName}" has no endpoint for it`)
    }
    const scopes = wanted.scopes ?? [...oauth.defaultScopes(connection.provider)]
    const { deviceCode, ...shown } = await callAsClient(keyring, connection, (client) =>
      oauth.startDevice(client, scopes),
    ).catch((error: unknown) => {
      throw toAuthconnError(error, {
        unrecognized: 'authorization_request_rejected',
        invalid_grant: 'authorization_request_rejected',
      })
    })
    const row = { id: randomUUID(), workspaceId: by.workspaceId }
    const secrets: DeviceSecrets = { deviceCode: deviceCode.reveal() }
    const authorization = {
      ...row,
      connectionId: connection.id,
      callerId: by.id,
      subject,
      redirectUri: null,
      scopes,
      stateHash: null,
      secrets: await keyring.seal(places.authorizationSecrets(row), new Secret(JSON.stringify(secrets))),
    }
    const { expiresAt } = await authorizations.insert(authorization, shown.expiresIn, shown.interval)
    return {
      authorization: {
        ...authorization,
        connectionName,
        status: 'pending',
        failure: null,
        failureCode: null,
        expiresAt,
      },
      shown,
    }
  }
}
