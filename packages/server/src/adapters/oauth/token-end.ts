import { introspectionRequest } from 'oauth4webapi'
import type { OAuthClient, TokenSet } from '../../core/oauth-port.ts'
import { parseAnswerFields } from './answer-fields.ts'
import { authenticate } from './client-authentication.ts'
import { prepareCall } from './provider-call.ts'
import { findCatalogEntry } from './providers.ts'
import type { SafeFetch } from './safe-fetch.ts'

/** Seconds assumed where nobody says: what most providers give, and refreshing early costs one call. */
const cautiousLifetime = 3600

/** Short, since the tokens are not stored yet. */
const patienceMs = 3_000

export type FindTokenEnd = (client: OAuthClient, tokens: TokenSet, refreshable: boolean) => Promise<TokenSet>

/**
 * Completes tokens that came without `expires_in` (RFC 6749 section 5.1 leaves it to documentation then): by
 * introspection (RFC 7662) where the provider has it, else, where they can be refreshed, by what the catalog has or a
 * cautious guess, marked as an assumption. A token that cannot be refreshed is taken to have no end. Never throws: there
 * are tokens to be kept.
 */
export function createFindTokenEnd(safeFetch: SafeFetch): FindTokenEnd {
  return async function findTokenEnd(client, tokens, refreshable) {
    if (tokens.expiresIn !== null) return tokens
    const introspected = client.endpoints.introspection_endpoint
      ? // Whatever fails here says nothing against the tokens, and must not lose them.
        await introspect(client, tokens).catch(() => undefined)
      : undefined
    if (introspected !== undefined) return { ...tokens, expiresIn: introspected }
    if (!refreshable) return tokens
    const expiresIn = findCatalogEntry(client.provider)?.token_lifetime ?? cautiousLifetime
    // The provider documents that its tokens have no end.
    if (expiresIn === 0) return tokens
    return { ...tokens, expiresIn, expiryAssumed: true }
  }

  /** Seconds until the end; undefined when the answer does not say. */
  async function introspect(client: OAuthClient, { accessToken }: TokenSet): Promise<number | undefined> {
    const call = prepareCall(safeFetch, client, 'introspection_endpoint', [accessToken], patienceMs)
    const { server, oauthClient, options } = call
    const token = accessToken.reveal()
    const response = await introspectionRequest(server, oauthClient, authenticate(client), token, {
      ...options,
      additionalParameters: { token_type_hint: 'access_token' },
    })
    const fields = parseAnswerFields(await response.text(), response.headers.get('content-type'))
    if (!response.ok || typeof fields === 'string' || fields.get('active') !== true) return undefined
    const exp = fields.get('exp')
    if (typeof exp !== 'number') return undefined
    // Counted from `iat` where there is one: the provider's clock may not be ours.
    const iat = fields.get('iat')
    const from = typeof iat === 'number' && iat < exp ? iat : Date.now() / 1000
    const seconds = Math.floor(exp - from)
    return seconds > 0 ? seconds : undefined
  }
}
