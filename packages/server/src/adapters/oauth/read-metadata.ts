import type { AuthMethod, ProviderEndpoints } from '@authconn/shared'
import { AuthconnError } from '../../core/errors.ts'
import type { ProviderInput, ResolvedProvider } from '../../core/oauth-port.ts'
import { type CallPolicy, findUrlProblem, urlErrors } from './check-url.ts'
import type { Metadata } from './discovery.ts'
import { printable } from './provider-text.ts'

export const endpointNames = [
  'authorization_endpoint',
  'token_endpoint',
  'revocation_endpoint',
  'introspection_endpoint',
  'userinfo_endpoint',
  'jwks_uri',
] as const satisfies readonly (keyof ProviderEndpoints)[]

/**
 * A provider from its metadata; what the input names goes before it.
 * Throws AuthconnError discovery_failed, provider_address_refused, auth_method_unsupported.
 */
export function readMetadata(metadata: Metadata, input: ProviderInput, policy: CallPolicy): ResolvedProvider {
  const { issuer, document, from } = metadata
  const found: Partial<ProviderEndpoints> = {}
  for (const name of endpointNames) {
    const value = document[name]
    if (input.endpoints[name] !== undefined || value === undefined || value === null) continue
    found[name] = checkEndpoint(name, value, from, policy)
  }
  const { authorization_endpoint, token_endpoint, ...others } = { ...found, ...input.endpoints }
  if (!authorization_endpoint || !token_endpoint) {
    const missing = authorization_endpoint ? 'token_endpoint' : 'authorization_endpoint'
    throw new AuthconnError('discovery_failed', `${from} names no ${missing}`)
  }
  if (document.require_pushed_authorization_requests === true) {
    throw new AuthconnError(
      'discovery_failed',
      `${from} requires pushed authorization requests (RFC 9126), which the vault does not do yet`,
    )
  }
  // code_challenge_methods_supported is not looked at. S256 is sent to everyone: a server without PKCE overlooks it
  // (RFC 6749 section 3.1), and falling back to `plain` or none would be the downgrade of RFC 9700 section 2.1.1.
  return {
    provider: null,
    issuer,
    endpoints: { authorization_endpoint, token_endpoint, ...others },
    tokenEndpointAuthMethod:
      input.tokenEndpointAuthMethod ?? chooseAuthMethod(document.token_endpoint_auth_methods_supported, from),
    issParameterSupported: document.authorization_response_iss_parameter_supported === true,
    authorizationParameters: {},
  }
}

function checkEndpoint(name: string, value: unknown, from: string, policy: CallPolicy): string {
  if (typeof value !== 'string' || !URL.canParse(value)) {
    throw new AuthconnError('discovery_failed', `${from}: ${name} is not a URL`)
  }
  const url = new URL(value)
  const problem = findUrlProblem(url, policy)
  // As it was parsed: the text may hold characters that the parser trims or encodes and a database refuses.
  if (!problem) return url.href
  throw new AuthconnError(urlErrors[problem.kind] ?? 'discovery_failed', `${from}: ${name} ${problem.reason}`)
}

function chooseAuthMethod(offered: unknown, from: string): AuthMethod {
  // RFC 8414 section 2: client_secret_basic when omitted.
  if (!Array.isArray(offered) || offered.length === 0) return 'client_secret_basic'
  const method = preferred.find((known) => offered.includes(known))
  if (method) return method
  const names = printable(offered.filter((name) => typeof name === 'string').join(', ')) ?? 'nothing readable'
  throw new AuthconnError('auth_method_unsupported', `${from} offers ${names}`)
}

const preferred = ['client_secret_basic', 'client_secret_post'] as const
