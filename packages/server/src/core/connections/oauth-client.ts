import type { Keyring } from '../crypto/keyring.ts'
import { places } from '../crypto/places.ts'
import { type OAuthClient, ProviderFailure } from '../oauth-port.ts'
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

/**
 * Calls a provider as the connection's OAuth client, with its secret opened. While a new client secret overlaps with the
 * former one, that one is tried when the provider refuses the client, and then only: an answer that says so is the proof
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
    return await call({ ...client, clientSecret: current })
  } catch (error) {
    if (!former || isOver(connection) || !refusesSecret(error)) throw error
    const secret = await keyring.open(places.formerClientSecret(connection), former)
    return await call({ ...client, clientSecret: secret }).catch((second) => {
      // What to say of two refused secrets is what was said of the new one.
      throw refusesSecret(second) ? error : second
    })
  }
}

/** invalid_client, by whatever name, but said. What the client may not do would be answered to every secret. */
function refusesSecret(error: unknown): boolean {
  return error instanceof ProviderFailure && error.kind === 'client' && !refusesGrant.has(error.oauthError)
}

const refusesGrant: ReadonlySet<string | undefined> = new Set([
  undefined,
  'unauthorized_client',
  'unsupported_grant_type',
])

function isOver({ formerClientSecretUntil: until }: Connection): boolean {
  return until === null || until.getTime() <= Date.now()
}
