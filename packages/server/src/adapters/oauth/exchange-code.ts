import { authorizationCodeGrantRequest } from 'oauth4webapi'
import type { OAuth } from '../../core/oauth-port.ts'
import { Secret } from '../../core/secret.ts'
import type { AcceptAnswer } from './accept-answer.ts'
import { checkAuthorizationResponse } from './authorization-response.ts'
import { authenticate } from './client-authentication.ts'
import { prepareCall } from './provider-call.ts'
import { findCatalogEntry } from './providers.ts'
import type { SafeFetch } from './safe-fetch.ts'
import { readTokenAnswer } from './token-answer.ts'

/** Checks the authorization response and exchanges its code (RFC 6749 section 4.1.3), once: nothing is retried. */
export function createExchangeCode(safeFetch: SafeFetch, accept: AcceptAnswer): OAuth['exchangeCode'] {
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
    return accept(client, request, answer, redirectedUrl.searchParams)
  }
}
