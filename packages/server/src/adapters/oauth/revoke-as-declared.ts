import type { RevocationStyle } from '@authconn/shared'
import { type OAuth, type OAuthClient, ProviderFailure } from '../../core/oauth-port.ts'
import type { Secret } from '../../core/secret.ts'
import { parseAnswerFields } from './answer-fields.ts'
import { authenticate } from './client-authentication.ts'
import { createFindAccount } from './find-account.ts'
import { prepareCall } from './provider-call.ts'
import { classifyError } from './provider-failure.ts'
import type { SafeFetch } from './safe-fetch.ts'

type Hint = 'refresh_token' | 'access_token'

/**
 * Revokes a token where the provider does it by a call of its own. Resolves when the provider does not accept it any more.
 * Throws ProviderFailure; `unsupported` for a refresh token.
 */
export function createRevokeAsDeclared(safeFetch: SafeFetch) {
  const findAccount = createFindAccount(safeFetch)

  return async function revokeAsDeclared(
    client: OAuthClient,
    token: Secret,
    hint: Hint,
    style: RevocationStyle,
  ): ReturnType<OAuth['revoke']> {
    if (hint !== 'access_token') {
      throw new ProviderFailure('unsupported', `The provider revokes by the access_token, not by the ${hint}`)
    }
    const { context, url } = prepareCall(safeFetch, client, 'revocation_endpoint', [token])
    const body = new URLSearchParams()
    const headers = new Headers({ accept: 'application/json' })
    if (style.field !== undefined) body.set(style.field, token.reveal())
    if (style.account_field !== undefined) body.set(style.account_field, await accountId(client, token))
    identify(client, token, style, body, headers)
    if (style.body !== 'none') {
      headers.set('content-type', style.body === 'json' ? 'application/json' : 'application/x-www-form-urlencoded')
    }
    const response = await safeFetch(url, {
      method: style.method,
      headers: Object.fromEntries(headers),
      ...(style.body === 'none'
        ? {}
        : { body: style.body === 'json' ? JSON.stringify(Object.fromEntries(body)) : body.toString() }),
    })
    const { status } = response
    const parsed = parseAnswerFields(await response.text(), response.headers.get('content-type'))
    const fields = typeof parsed === 'string' ? new Map<string, unknown>() : parsed
    const error = fields.get('error')
    if (style.gone_statuses?.includes(status)) return 'gone'
    if (typeof error === 'string' && style.gone?.includes(error)) return 'gone'
    if (response.ok && error === undefined) return 'revoked'
    const errorDescription = fields.get('error_description')
    throw classifyError({ status, headers: response.headers, error, errorDescription }, context)
  }

  async function accountId(client: OAuthClient, token: Secret): Promise<string> {
    const account = await findAccount(client, token)
    if (account?.id) return account.id
    throw new ProviderFailure(
      'unrecognized',
      'The provider did not say whose token it is, which it wants to be told',
    )
  }
}

function identify(
  client: OAuthClient,
  token: Secret,
  { authentication, scheme = 'Bearer' }: RevocationStyle,
  body: URLSearchParams,
  headers: Headers,
): void {
  switch (authentication) {
    case 'token':
      headers.set('authorization', `${scheme} ${token.reveal()}`)
      return
    case 'client_secret_header':
      body.set('client_id', client.clientId)
      headers.set('authorization', `${scheme} ${secretOf(client)}`)
      return
    case 'client_secret_basic':
      authenticate({ ...client, tokenEndpointAuthMethod: 'client_secret_basic' })(
        { issuer: '' },
        { client_id: client.clientId },
        body,
        headers,
      )
  }
}

function secretOf({ credential }: OAuthClient): string {
  if (credential.kind === 'secret') return credential.secret.reveal()
  throw new ProviderFailure('client', 'The provider revokes for clients with a secret only')
}
