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
  'pushed_authorization_request_endpoint',
  'device_authorization_endpoint',
] as const satisfies readonly (keyof ProviderEndpoints)[]

type EndpointName = (typeof endpointNames)[number]

const pushed = 'pushed_authorization_request_endpoint'
const requirePushed = 'require_pushed_authorization_requests'

/**
 * A provider from its metadata; what the input names goes before it.
 * Throws AuthconnError discovery_failed, provider_address_refused, provider_host_not_allowed,
 * pkce_unsupported, auth_method_unsupported.
 */
export function readMetadata(metadata: Metadata, input: ProviderInput, policy: CallPolicy): ResolvedProvider {
  const { issuer, document, from } = metadata
  const found: Partial<Record<EndpointName, string>> = {}
  for (const name of endpointNames) {
    const value = document[name]
    if (input.endpoints[name] !== undefined || value === undefined || value === null) continue
    // Where the provider leaves the choice, the request goes by the browser: one call less that can fail.
    if (name === pushed && document[requirePushed] !== true) continue
    found[name] = checkEndpoint(name, value, from, policy)
  }
  const aliases = readAliases(document.mtls_endpoint_aliases, Object.keys(found), from, policy)
  const { token_endpoint, ...others } = { ...found, ...input.endpoints }
  if (!token_endpoint) throw new AuthconnError('discovery_failed', `${from} names no token_endpoint`)
  // What only people who consent come by is of no matter to a connection that asks nobody.
  const { grantType = 'authorization_code' } = input
  if (grantType === 'authorization_code') requireConsent(document, others, from)
  const method =
    input.tokenEndpointAuthMethod ??
    chooseAuthMethod(document.token_endpoint_auth_methods_supported, input.authMethods, from)
  if (method === 'private_key_jwt') requireAlgorithm(document, input.keyAlgorithm, from)
  return {
    provider: null,
    issuer,
    endpoints: { token_endpoint, ...others, ...aliases },
    tokenEndpointAuthMethod: method,
    issParameterSupported: document.authorization_response_iss_parameter_supported === true,
    authorizationParameters: {},
  }
}

function requireConsent(
  document: Metadata['document'],
  endpoints: Partial<Record<EndpointName, string>>,
  from: string,
): void {
  if (!endpoints.authorization_endpoint) {
    throw new AuthconnError('discovery_failed', `${from} names no authorization_endpoint`)
  }
  if (document[requirePushed] === true && !endpoints[pushed]) {
    throw new AuthconnError(
      'discovery_failed',
      `${from} requires pushed authorization requests and names no ${pushed}`,
    )
  }
  requireS256(document.code_challenge_methods_supported, from)
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

/**
 * S256 is sent to everyone, and nothing else ever: `plain` or none would be the downgrade of RFC 9700 section 2.1.1. A
 * server whose list leaves it out says that it would not check it, and a stolen code would be as good as ours. Of one
 * without a list nothing is known, whatever RFC 8414 section 2 makes of that: many check S256 and do not say so, and one
 * that does not overlooks it (RFC 6749 section 3.1).
 */
function requireS256(supported: unknown, from: string): void {
  if (supported === undefined || supported === null || (Array.isArray(supported) && supported.includes('S256')))
    return
  throw new AuthconnError('pkce_unsupported', `${from} offers ${listed(supported)}`)
}

/**
 * The endpoints for clients that authenticate in TLS (RFC 8705 section 5), of those endpoints that were found: one that
 * was given goes before what the metadata says.
 */
function readAliases(given: unknown, foundNames: readonly string[], from: string, policy: CallPolicy) {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return {}
  const aliases: NonNullable<ProviderEndpoints['mtls_endpoint_aliases']> = {}
  for (const name of aliasNames) {
    const value: unknown = Reflect.get(given, name)
    if (value === undefined || value === null || !foundNames.includes(name)) continue
    aliases[name] = checkEndpoint(`mtls_endpoint_aliases.${name}`, value, from, policy)
  }
  return Object.keys(aliases).length > 0 ? { mtls_endpoint_aliases: aliases } : {}
}

const aliasNames = [
  'token_endpoint',
  'revocation_endpoint',
  'introspection_endpoint',
  pushed,
  'device_authorization_endpoint',
] as const

function chooseAuthMethod(offered: unknown, possible: readonly AuthMethod[], from: string): AuthMethod {
  // Who asks is in the assertion; the metadata speaks of clients that authenticate.
  if (possible[0] === 'none') return 'none'
  // RFC 8414 section 2: client_secret_basic when omitted, which a client with a key cannot do.
  const saysNothing = !Array.isArray(offered) || offered.length === 0
  const method = saysNothing ? possible[0] : possible.find((known) => offered.includes(known))
  if (method) return method
  throw new AuthconnError(
    'auth_method_unsupported',
    `${from} offers ${listed(offered)}, and this client can do ${possible.join(', ')}`,
  )
}

function requireAlgorithm(document: Metadata['document'], algorithm: string | undefined, from: string): void {
  const offered = document.token_endpoint_auth_signing_alg_values_supported
  if (!Array.isArray(offered) || offered.length === 0 || offered.includes(algorithm)) return
  // RFC 9864 has a new name for what is the same with the only curve there is here.
  if (algorithm === 'EdDSA' && offered.includes('Ed25519')) return
  throw new AuthconnError(
    'auth_method_unsupported',
    `${from} takes assertions signed by ${listed(offered)}, and the key of this client signs by ${algorithm}`,
  )
}

/** Names that a provider lists, fit to be shown. */
function listed(names: unknown): string {
  const texts = Array.isArray(names) ? names.filter((name) => typeof name === 'string') : []
  return printable(texts.join(', ')) ?? 'nothing readable'
}
