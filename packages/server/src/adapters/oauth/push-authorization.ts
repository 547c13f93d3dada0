import { pushedAuthorizationRequest } from 'oauth4webapi'
import { type OAuth, ProviderFailure } from '../../core/oauth-port.ts'
import { Secret } from '../../core/secret.ts'
import { parseAnswerFields } from './answer-fields.ts'
import { authorizationEndpoint, authorizationParameters } from './authorization-url.ts'
import { authenticate } from './client-authentication.ts'
import { prepareCall } from './provider-call.ts'
import { classifyError } from './provider-failure.ts'
import type { SafeFetch } from './safe-fetch.ts'

/**
 * Pushes the authorization request to the provider (RFC 9126) and resolves to the URL to open: it holds the client id and
 * a reference, and the browser sees nothing of the request. Throws ProviderFailure.
 */
export function createPushAuthorization(safeFetch: SafeFetch): OAuth['pushAuthorization'] {
  return async function pushAuthorization(client, request) {
    const sent = [new Secret(request.state), request.codeVerifier]
    const call = prepareCall(safeFetch, client, 'pushed_authorization_request_endpoint', sent)
    const { server, oauthClient, context, options } = call
    const parameters = new URLSearchParams(await authorizationParameters(client, request))
    const response = await pushedAuthorizationRequest(
      server,
      oauthClient,
      authenticate(client),
      parameters,
      options,
    )
    const { status, headers } = response
    const fields = parseAnswerFields(await response.text(), headers.get('content-type'))
    const known = typeof fields === 'string' ? new Map<string, unknown>() : fields
    if (!response.ok) {
      const [error, errorDescription] = [known.get('error'), known.get('error_description')]
      throw classifyError({ status, headers, error, errorDescription }, context)
    }
    const requestUri = known.get('request_uri')
    if (typeof requestUri !== 'string' || !/^[\x21-\x7e]{1,2048}$/.test(requestUri)) {
      throw new ProviderFailure(
        'unintelligible',
        `${context.endpoint} answered ${status} with no usable request_uri`,
      )
    }
    const url = authorizationEndpoint(client)
    url.searchParams.set('client_id', client.clientId)
    url.searchParams.set('request_uri', requestUri)
    return url.href
  }
}
