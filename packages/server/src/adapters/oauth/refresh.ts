import { refreshTokenGrantRequest } from 'oauth4webapi'
import type { OAuth } from '../../core/oauth-port.ts'
import { authenticate } from './client-authentication.ts'
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
  return async function refresh(client, refreshToken) {
    const call = prepareCall(safeFetch, client, 'token_endpoint', [refreshToken], timeoutMs)
    const { server, oauthClient, context, options } = call
    const token = refreshToken.reveal()
    const response = await refreshTokenGrantRequest(server, oauthClient, authenticate(client), token, {
      ...options,
      additionalParameters: findCatalogEntry(client.provider)?.refresh_parameters ?? {},
    })
    const { tokens } = await readTokenAnswer(response, 'refresh', context)
    return findTokenEnd(client, tokens, true)
  }
}
