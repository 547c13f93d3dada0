import type { AuthMethod, ProviderEndpoints } from '@authconn/shared'
import { AuthconnError } from '../../core/errors.ts'
import type { OAuth, ProviderInput, ResolvedProvider } from '../../core/oauth-port.ts'
import { findUrlProblem, showUrl, urlErrors } from './check-url.ts'
import { discover } from './discovery.ts'
import { tenantIssuer } from './issuer.ts'
import { type CatalogEntry, recognizeProvider } from './providers.ts'
import { endpointNames, readMetadata } from './read-metadata.ts'
import type { SafeFetch } from './safe-fetch.ts'

/**
 * Recognizes the provider from the catalog, else takes the endpoints that are given, else discovers it. Endpoints
 * that are given go before what the catalog or the metadata says.
 */
export function createResolveProvider(safeFetch: SafeFetch): OAuth['resolveProvider'] {
  const { policy } = safeFetch

  return async function resolveProvider(input) {
    const providerUrl = checkUrl('The provider URL', input.providerUrl)
    if (input.issuerUrl !== undefined) checkIssuerUrl(input.issuerUrl)
    for (const name of endpointNames) {
      const given = input.endpoints[name]
      if (given !== undefined) checkUrl(name, given)
    }
    const recognized = recognizeProvider(providerUrl)
    if (recognized) return fromCatalog(recognized.entry, recognized.tenant, input)

    const { authorization_endpoint, token_endpoint } = input.endpoints
    if (authorization_endpoint && token_endpoint) {
      return asGiven({ ...input.endpoints, authorization_endpoint, token_endpoint }, input)
    }
    const metadata = await discover(safeFetch, providerUrl, input.issuerUrl)
    return readMetadata(metadata, input, policy)
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

function fromCatalog(entry: CatalogEntry, named: string | undefined, input: ProviderInput): ResolvedProvider {
  const tenant = named ?? tenantOf(entry, input.issuerUrl) ?? entry.defaultTenant
  const endpoints = { ...entry.endpoints }
  for (const name of endpointNames) {
    const url = input.endpoints[name] ?? endpoints[name]?.replace('{tenant}', tenant ?? '')
    if (url !== undefined) endpoints[name] = url
  }
  return {
    provider: entry.id,
    issuer: catalogIssuer(entry, tenant, input.issuerUrl),
    endpoints,
    tokenEndpointAuthMethod: input.tokenEndpointAuthMethod ?? methodOf(input, entry.tokenEndpointAuthMethod),
    // Checked wherever it comes; none of them promises it in every answer.
    issParameterSupported: false,
    authorizationParameters: { ...entry.authorizationParameters },
  }
}

/** An issuer URL may pin the tenant where the provider URL leaves it open; otherwise it must be the very issuer. */
function catalogIssuer(entry: CatalogEntry, tenant: string | undefined, given: string | undefined): string {
  const issuer = tenantIssuer(entry.issuer, tenant, entry.tenantIds)
  if (given === undefined || given === issuer) return issuer
  const pinned = tenantOf(entry, given)
  if (pinned !== undefined && entry.issuer.replace('{tenantid}', pinned) === given.toLowerCase()) {
    if (pinned === tenant) return issuer
    if (issuer === entry.issuer) return tenantIssuer(entry.issuer, pinned, entry.tenantIds)
  }
  throw new AuthconnError('issuer_mismatch', `${entry.name} names itself ${issuer}, not ${given}`)
}

function tenantOf(entry: CatalogEntry, issuerUrl: string | undefined): string | undefined {
  if (issuerUrl === undefined) return undefined
  const recognized = recognizeProvider(new URL(issuerUrl))
  return recognized?.entry === entry ? recognized.tenant : undefined
}

/** RFC 8414 section 2 has client_secret_basic as what to do when nothing is said. */
function asGiven(endpoints: ProviderEndpoints, input: ProviderInput): ResolvedProvider {
  return {
    provider: null,
    issuer: input.issuerUrl ?? null,
    endpoints,
    tokenEndpointAuthMethod: input.tokenEndpointAuthMethod ?? methodOf(input, 'client_secret_basic'),
    issParameterSupported: false,
    authorizationParameters: {},
  }
}

/** What is usual at a provider, where the client can do it. */
function methodOf({ authMethods }: ProviderInput, usual: AuthMethod): AuthMethod {
  return authMethods.includes(usual) ? usual : (authMethods[0] ?? usual)
}
