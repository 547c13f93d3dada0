import { refreshTokenGrantRequest } from 'oauth4webapi'
import type { OAuth } from '../../core/oauth-port.ts'
import { authenticate } from './client-authentication.ts'
import { readTokenMetadata } from './grant-facts.ts'
import { prepareCall } from './provider-call.ts'
import { findCatalogEntry } from './providers.ts'
import type { SafeFetch } from './safe-fetch.ts'
import { readTokenAnswer } from './token-answer.ts'
import type { FindTokenEnd } from './token-end.ts'

/**
 * Refreshes tokens (RFC 6749 section 6). The scope is left out, which asks for what was granted before.
 * An ID token in the answer is dropped unread: nobody uses it, and throwing the answer away because of it would
 * lose a refresh token that the provider has just rotated.
 */
export function createRefresh(
  safeFetch: SafeFetch,
  findTokenEnd: FindTokenEnd,
  /** Longer than other calls: what is given up may have rotated the refresh token all the same. */
  timeoutMs: number,
): OAuth['refresh'] {
  return async function refresh(client, refreshToken, redirectUri = null) {
    const entry = findCatalogEntry(client.provider)
    const call = prepareCall(safeFetch, client, 'token_endpoint', [refreshToken], timeoutMs)
    const { server, oauthClient, context, options } = call
    const token = refreshToken.reveal()
    const response = await refreshTokenGrantRequest(server, oauthClient, authenticate(client), token, {
      ...options,
      additionalParameters: {
        ...entry?.refresh_parameters,
        ...(entry?.refresh_redirect_uri && redirectUri && { redirect_uri: redirectUri }),
      },
    })
    const { tokens, fields } = await readTokenAnswer(response, 'refresh', context)
    const complete = await findTokenEnd(client, tokens, true)
    return { ...complete, metadata: readTokenMetadata(client.provider, fields) }
  }
}
