import type { Keyring } from '../crypto/keyring.ts'
import { places } from '../crypto/places.ts'
import { type OAuthClient, ProviderFailure, type PublicClient } from '../oauth-port.ts'
import type { Connection } from '../ports.ts'
import type { Secret } from '../secret.ts'
import { fromSealable } from './client-credential.ts'

/** What may be known of a connection's client without opening its credential. */
export function publicClient(connection: Connection): PublicClient {
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

/**
 * Calls a provider as the connection's OAuth client, with its credential opened. While a new one overlaps with the
 * former, that one is tried when the provider refuses the client, and then only: an answer that says so is the proof
 * that nothing was done, and no other outcome is. Throws sealed_value_damaged and what the call throws.
 */
export async function callAsClient<T>(
  keyring: Keyring,
  connection: Connection,
  call: (client: OAuthClient) => Promise<T>,
): Promise<T> {
  const { clientSecret, formerClientSecret: former } = connection
  const client = publicClient(connection)
  const current = await keyring.open(places.clientSecret(connection), clientSecret)
  try {
    return await call(asClient(client, current))
  } catch (error) {
    if (!former || isOver(connection) || !refusesCredential(error, connection)) throw error
    const secret = await keyring.open(places.formerClientSecret(connection), former)
    return await call(asClient(client, secret)).catch((second) => {
      // What to say of two refused credentials is what was said of the new one.
      throw refusesCredential(second, connection) ? error : second
    })
  }
}

function asClient(client: PublicClient, opened: Secret): OAuthClient {
  const { credential, method } = fromSealable(opened)
  return { ...client, tokenEndpointAuthMethod: method ?? client.tokenEndpointAuthMethod, credential }
}

/**
 * invalid_client, by whatever name, but said. What the client may not do would be answered to every secret. An assertion that
 * is signed by a key which the provider does not know is an invalid grant (RFC 7521 section 4.1.1).
 */
function refusesCredential(error: unknown, { grantType }: Connection): boolean {
  if (!(error instanceof ProviderFailure)) return false
  if (grantType === 'jwt_bearer' && error.kind === 'invalid_grant') return true
  return error.kind === 'client' && !refusesGrant.has(error.oauthError)
}

const refusesGrant: ReadonlySet<string | undefined> = new Set([
  undefined,
  'unauthorized_client',
  'unsupported_grant_type',
])

function isOver({ formerClientSecretUntil: until }: Connection): boolean {
  return until === null || until.getTime() <= Date.now()
}
