import { calculatePKCECodeChallenge } from 'oauth4webapi'
import {
  type AuthorizationRequest,
  type OAuth,
  ProviderFailure,
  type PublicClient,
} from '../../core/oauth-port.ts'
import { findCatalogEntry } from './providers.ts'

/** The URL to open in a browser. What the endpoint's own query holds stays in it (RFC 6749 section 3.1). */
export const authorizationUrl: OAuth['authorizationUrl'] = async (client, request) => {
  const url = authorizationEndpoint(client)
  const parameters = await authorizationParameters(client, request)
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url.href
}

/** Without one a connection is not made, unless it needs nobody's consent. */
export function authorizationEndpoint({ endpoints }: PublicClient): URL {
  if (endpoints.authorization_endpoint) return new URL(endpoints.authorization_endpoint)
  throw new ProviderFailure('unintelligible', 'The connection has no authorization_endpoint')
}

/** The authorization request itself (RFC 6749 section 4.1.1), however it gets to the provider. */
export async function authorizationParameters(
  client: PublicClient,
  request: AuthorizationRequest,
): Promise<Record<string, string>> {
  const scopes = scopesFor(client.provider, request.scopes)
  return {
    ...consent(client.provider, scopes),
    // They are the provider's habits, and never replace what the protocol needs.
    ...client.authorizationParameters,
    response_type: 'code',
    client_id: client.clientId,
    redirect_uri: request.redirectUri,
    ...scopeParameter(client.provider, scopes),
    state: request.state,
    ...(request.nonce === null ? {} : { nonce: request.nonce }),
    code_challenge: await calculatePKCECodeChallenge(request.codeVerifier.reveal()),
    code_challenge_method: 'S256',
  }
}

/** Those that are asked for, and the one without which there is no refresh token. */
export function scopesFor(provider: string | null, scopes: readonly string[]): readonly string[] {
  const needed = findCatalogEntry(provider)?.scopes.offline
  return needed === undefined || scopes.includes(needed) ? scopes : [...scopes, needed]
}

export function scopeParameter(provider: string | null, scopes: readonly string[]): Record<string, string> {
  const { parameter = 'scope', separator = ' ' } = findCatalogEntry(provider)?.scopes ?? {}
  return scopes.length > 0 ? { [parameter]: scopes.join(separator) } : {}
}

/** Of a provider that nobody knows, who it is that consents: what OpenID Connect has for that. */
export const defaultScopes: OAuth['defaultScopes'] = (provider) =>
  findCatalogEntry(provider)?.scopes.default ?? ['openid', 'profile', 'email']

/**
 * OpenID Connect Core section 11: offline_access is overlooked without prompt=consent. Providers of the catalog
 * have their own rules: at Microsoft the prompt would stop everyone whose administrator gave the consent.
 */
function consent(provider: string | null, scopes: readonly string[]): Record<string, string> {
  return provider === null && scopes.includes('offline_access') ? { prompt: 'consent' } : {}
}
