import type { ProviderEndpoints } from '@authconn/shared'
import { AuthconnError } from '../../core/errors.ts'
import type { OAuth, ProviderInput, ResolvedProvider } from '../../core/oauth-port.ts'
import { findUrlProblem, showUrl, urlErrors } from './check-url.ts'
import { discover } from './discovery.ts'
import { endpointNames, readMetadata } from './read-metadata.ts'
import { findKnownProvider, fromCatalog } from './resolve-known-provider.ts'
import type { SafeFetch } from './safe-fetch.ts'
import { usualMethod } from './usual-method.ts'

/**
 * Recognizes the provider from the catalog, else takes the endpoints that are given, else discovers it. Endpoints
 * that are given go before what the catalog or the metadata says.
 */
export function createResolveProvider(safeFetch: SafeFetch): OAuth['resolveProvider'] {
  const { policy } = safeFetch

  return async function resolveProvider(input) {
    const given = input.providerUrl
    const url = given === undefined ? undefined : checkUrl('The provider URL', given)
    if (input.issuerUrl !== undefined) checkIssuerUrl(input.issuerUrl)
    for (const name of endpointNames) {
      const endpoint = input.endpoints[name]
      if (endpoint !== undefined) checkUrl(name, endpoint)
    }
    const known = findKnownProvider(input, url)
    if (known) return fromCatalog(known.entry, known.variables, input)
    if (given === undefined || !url) {
      throw new AuthconnError('invalid_request', 'Neither a provider nor a provider URL is given')
    }
    const [variable] = Object.keys(input.variables ?? {})
    if (variable) {
      throw new AuthconnError(
        'invalid_request',
        `A ${variable} is for providers of the catalog whose URLs hold one`,
      )
    }

    const { authorization_endpoint, token_endpoint } = input.endpoints
    const asksPeople = (input.grantType ?? 'authorization_code') === 'authorization_code'
    if (token_endpoint && (authorization_endpoint || !asksPeople)) {
      const endpoints = { ...input.endpoints, token_endpoint }
      return { ...asGiven(endpoints, input), providerUrl: given }
    }
    const metadata = await discover(safeFetch, url, input.issuerUrl)
    return { ...readMetadata(metadata, input, policy), providerUrl: given }
  }

  function checkUrl(what: string, text: string): URL {
    if (!URL.canParse(text)) throw new AuthconnError('provider_url_invalid', `${what} is not a URL`)
    const url = new URL(text)
    const problem = findUrlProblem(url, policy)
    if (!problem) return url
    const code = urlErrors[problem.kind] ?? 'provider_url_invalid'
    throw new AuthconnError(code, `${what} ${showUrl(url)} ${problem.reason}`)
  }

  /** RFC 8414 section 2: no query, no fragment. */
  function checkIssuerUrl(text: string): void {
    const url = checkUrl('The issuer URL', text)
    if (text.includes('?')) {
      throw new AuthconnError('provider_url_invalid', `The issuer URL ${showUrl(url)} must not hold a query`)
    }
  }
}

/** RFC 8414 section 2 has client_secret_basic as what to do when nothing is said. */
function asGiven(endpoints: ProviderEndpoints, input: ProviderInput): ResolvedProvider {
  return {
    provider: null,
    issuer: input.issuerUrl ?? null,
    endpoints,
    tokenEndpointAuthMethod:
      input.tokenEndpointAuthMethod ?? usualMethod(input.authMethods, 'client_secret_basic'),
    issParameterSupported: false,
    authorizationParameters: {},
  }
}
