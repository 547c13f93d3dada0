import { authorizationCodeGrantRequest } from 'oauth4webapi'
import { listTokens, revokeTokens } from '../../core/grants/revoke-tokens.ts'
import { type OAuth, type OAuthClient, ProviderFailure, type TokenSet } from '../../core/oauth-port.ts'
import { Secret } from '../../core/secret.ts'
import { checkAuthorizationResponse } from './authorization-response.ts'
import { authenticate } from './client-authentication.ts'
import { readAbout } from './grant-facts.ts'
import type { ValidateIdToken } from './id-token.ts'
import { prepareCall } from './provider-call.ts'
import { findCatalogEntry } from './providers.ts'
import type { SafeFetch } from './safe-fetch.ts'
import { readTokenAnswer } from './token-answer.ts'
import type { FindTokenEnd } from './token-end.ts'

/** Checks the authorization response and exchanges its code (RFC 6749 section 4.1.3), once: nothing is retried. */
export function createExchangeCode(
  safeFetch: SafeFetch,
  deps: { validateIdToken: ValidateIdToken; findTokenEnd: FindTokenEnd; revoke: OAuth['revoke'] },
): OAuth['exchangeCode'] {
  return async function exchangeCode(client, request, redirectedUrl) {
    const { code, parameters } = checkAuthorizationResponse(client, request, redirectedUrl)
    const sent = [new Secret(code), request.codeVerifier]
    const { server, oauthClient, context, options } = prepareCall(safeFetch, client, 'token_endpoint', sent)
    const response = await authorizationCodeGrantRequest(
      server,
      oauthClient,
      authenticate(client),
      parameters,
      request.redirectUri,
      request.codeVerifier.reveal(),
      { ...options, additionalParameters: findCatalogEntry(client.provider)?.token_parameters ?? {} },
    )
    const answer = await readTokenAnswer(response, 'exchange', context)
    try {
      await deps.validateIdToken(client, request, answer)
    } catch (error) {
      throw await discard(client, answer.tokens, error)
    }
    const tokens = await deps.findTokenEnd(client, answer.tokens, answer.tokens.refreshToken !== null)
    return { ...tokens, ...readAbout(client.provider, answer.fields, redirectedUrl.searchParams) }
  }

  /** Tokens that came with an ID token that cannot be trusted are not kept, so they must not stay alive either. */
  async function discard(client: OAuthClient, tokens: TokenSet, error: unknown): Promise<unknown> {
    if (!client.endpoints.revocation_endpoint || !(error instanceof ProviderFailure)) return error
    try {
      await revokeTokens(listTokens(tokens), (token, hint) => deps.revoke(client, token, hint))
      return error
    } catch (failure) {
      const why = failure instanceof ProviderFailure ? failure.message : 'the revocation failed'
      return new ProviderFailure(error.kind, `${error.message}. Its tokens could not be revoked: ${why}`)
    }
  }
}
