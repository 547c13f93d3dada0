import type { Keyring } from '../crypto/keyring.ts'
import { places } from '../crypto/places.ts'
import type { OAuthClient } from '../oauth-port.ts'
import type { Connection } from '../ports.ts'

/** What may be known of a connection's client without opening its secret. */
export function publicClient(connection: Connection): Omit<OAuthClient, 'clientSecret'> {
  return {
    provider: connection.provider,
    issuer: connection.issuer,
    endpoints: connection.endpoints,
    tokenEndpointAuthMethod: connection.tokenEndpointAuthMethod,
    issParameterSupported: connection.issParameterSupported,
    authorizationParameters: connection.authorizationParameters,
    clientId: connection.clientId,
  }
}

/** A connection's OAuth client with its secret opened. Throws sealed_value_damaged. */
export async function openClient(keyring: Keyring, connection: Connection): Promise<OAuthClient> {
  const clientSecret = await keyring.open(places.clientSecret(connection), connection.clientSecret)
  return { ...publicClient(connection), clientSecret }
}
