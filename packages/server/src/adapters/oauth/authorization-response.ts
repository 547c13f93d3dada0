import { validateAuthResponse } from 'oauth4webapi'
import { type AuthorizationRequest, type OAuthClient, ProviderFailure } from '../../core/oauth-port.ts'
import { Secret } from '../../core/secret.ts'
import { isExpectedIssuer } from './issuer.ts'
import { toAuthorizationServer, toOAuthClient } from './provider-call.ts'
import { printable, printableCode, printableIssuer } from './provider-text.ts'

/**
 * Checks an authorization response (RFC 6749 section 4.1.2, RFC 9207) and resolves to what its code is exchanged
 * with. Throws ProviderFailure `callback`, `issuer` or `denied`.
 */
export function checkAuthorizationResponse(
  client: OAuthClient,
  request: AuthorizationRequest,
  redirectedUrl: URL,
): { code: string; parameters: URLSearchParams } {
  const received = redirectedUrl.searchParams
  checkForm(received)
  if (received.get('state') !== request.state) {
    throw new ProviderFailure('callback', 'The state in the redirected URL is not the one of this authorization')
  }
  // Before error and code: both may come from another provider than the one that was asked (RFC 9207 section 2.4).
  checkIssuer(client, received.get('iss'))
  if (received.has('error')) throw denied(request, received)

  const code = received.get('code') ?? ''
  // What is checked above is left out: iss with an exact comparison only would fail multi-tenant issuers.
  const checked = new URLSearchParams({ code, state: request.state })
  return {
    code,
    parameters: validateAuthResponse(toAuthorizationServer(client), toOAuthClient(client), checked, request.state),
  }
}

function checkForm(received: URLSearchParams): void {
  const names = [...received.keys()]
  if (new Set(names).size !== names.length) {
    throw new ProviderFailure('callback', 'The redirected URL repeats a parameter (RFC 6749 section 3.1)')
  }
  if (received.has('response') || received.has('id_token') || received.has('access_token')) {
    throw new ProviderFailure('callback', 'The redirected URL answers another kind of request than a code')
  }
  const outcomes = [received.get('code'), received.get('error')].filter(Boolean)
  if (outcomes.length !== 1) {
    throw new ProviderFailure('callback', 'The redirected URL must hold either a code or an error')
  }
}

function checkIssuer(client: OAuthClient, iss: string | null): void {
  if (iss === null) {
    if (!client.issParameterSupported) return
    throw new ProviderFailure(
      'issuer',
      'The redirected URL names no issuer, which this provider says it always does',
    )
  }
  if (isExpectedIssuer(client, iss)) return
  const named = printableIssuer(iss)
  throw new ProviderFailure(
    'issuer',
    client.issuer === null
      ? `The redirected URL names the issuer ${named}, but the connection has no issuer URL to compare it with`
      : `The redirected URL names the issuer ${named} instead of ${client.issuer}`,
  )
}

function denied({ state, codeVerifier }: AuthorizationRequest, received: URLSearchParams): ProviderFailure {
  const sent = [new Secret(state), codeVerifier]
  const code = printableCode(received.get('error'), sent) ?? 'an error'
  const description = printable(received.get('error_description'), sent)
  return new ProviderFailure('denied', `The provider answered ${code}${description ? `: ${description}` : ''}`)
}
