import { revocationRequest } from 'oauth4webapi'
import { type OAuth, ProviderFailure } from '../../core/oauth-port.ts'
import { parseAnswerFields } from './answer-fields.ts'
import { authenticate } from './client-authentication.ts'
import { prepareCall } from './provider-call.ts'
import { classifyError } from './provider-failure.ts'
import { findCatalogEntry } from './providers.ts'
import { createRevokeAsDeclared } from './revoke-as-declared.ts'
import type { SafeFetch } from './safe-fetch.ts'

/**
 * Revokes a token (RFC 7009). Resolves when the provider does not accept it any more: also when it never did, or
 * says that it is expired or revoked already, which section 2.2 has as success and some answer as an error.
 */
export function createRevoke(safeFetch: SafeFetch): OAuth['revoke'] {
  const revokeAsDeclared = createRevokeAsDeclared(safeFetch)
  return async function revoke(client, token, hint) {
    const style = findCatalogEntry(client.provider)?.revocation
    if (style) return revokeAsDeclared(client, token, hint, style)
    const call = prepareCall(safeFetch, client, 'revocation_endpoint', [token])
    const { server, oauthClient, context, options } = call
    const response = await revocationRequest(server, oauthClient, authenticate(client), token.reveal(), {
      ...options,
      additionalParameters: { token_type_hint: hint },
    })
    if (response.ok) return 'revoked'
    const { status, headers } = response
    const parsed = parseAnswerFields(await response.text(), headers.get('content-type'))
    const fields = typeof parsed === 'string' ? new Map<string, unknown>() : parsed
    const error = fields.get('error')
    if (status === 400 && error === 'invalid_token') return 'gone'
    const errorDescription = fields.get('error_description')
    const failure = classifyError({ status, headers, error, errorDescription }, context)
    if (error !== 'unsupported_token_type' || failure.kind === 'passing') throw failure
    throw new ProviderFailure('unsupported', failure.message)
  }
}
