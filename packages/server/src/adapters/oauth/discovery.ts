import { AuthconnError } from '../../core/errors.ts'
import { ProviderFailure } from '../../core/oauth-port.ts'
import { showUrl } from './check-url.ts'
import { printableIssuer } from './provider-text.ts'
import { readJsonObject } from './read-json.ts'
import type { SafeFetch } from './safe-fetch.ts'

export interface Metadata {
  issuer: string
  document: Readonly<Record<string, unknown>>
  /** Where it was found, for messages. */
  from: string
}

/**
 * Finds a provider's metadata (OpenID Connect Discovery, RFC 8414): at the issuer URL where there is one, else at
 * the provider URL, and, should that be an authorization endpoint, above it. At most seven calls.
 * Throws AuthconnError discovery_failed, issuer_mismatch, provider_address_refused, provider_host_not_allowed.
 */
export async function discover(safeFetch: SafeFetch, providerUrl: URL, issuerUrl?: string): Promise<Metadata> {
  const places = issuerUrl === undefined ? placesAround(providerUrl) : placesOf(issuerUrl, [issuerUrl])
  const tried: string[] = []
  for (const place of places) {
    const found = await read(safeFetch, place.url, tried)
    if (!found) continue
    const { issuer, document } = found
    const from = showUrl(place.url)
    if (place.above) {
      if (place.issuers.includes(issuer) && isEndpoint(document.authorization_endpoint, providerUrl)) return found
      tried.push(`${from} describes another provider`)
      continue
    }
    // RFC 8414 section 3.3: compared as strings, nothing normalized.
    if (!place.issuers.includes(issuer)) throw mismatch(from, place.issuers[0], issuer, issuerUrl !== undefined)
    return found
  }
  throw new AuthconnError('discovery_failed', `No metadata was found. ${tried.join('. ')}.`)
}

interface Place {
  url: URL
  /** Spellings of the issuer that lead to this URL. */
  issuers: readonly [string, ...string[]]
  /** Guessed: the metadata must name the provider URL as its authorization endpoint. */
  above?: boolean
}

const oidcSuffix = '/.well-known/openid-configuration'
const oauthPrefix = '/.well-known/oauth-authorization-server'

function placesAround(providerUrl: URL): Place[] {
  const path = providerUrl.pathname.replace(/\/+$/, '')
  // Someone may paste the address of the metadata itself.
  const given = path.endsWith(oidcSuffix) ? path.slice(0, -oidcSuffix.length) : path
  const { origin } = providerUrl
  const segments = given.split('/').slice(1, -1)
  const parents = segments.map((_, index) => `/${segments.slice(0, index + 1).join('/')}`).reverse()
  const above = given === '' ? [] : [...parents.slice(0, 3), '']
  const at = (issuerPath: string) =>
    placesOf(origin + issuerPath, [origin + issuerPath, `${origin}${issuerPath}/`])
  const guesses = above.flatMap((issuerPath) =>
    // RFC 8414 metadata above is looked for at the root only, to keep the calls few.
    at(issuerPath).slice(0, issuerPath === '' ? 2 : 1),
  )
  return [...at(given), ...guesses.map((place) => ({ ...place, above: true }))]
}

/** Where an issuer's metadata is: appended for OpenID Connect, between host and path for RFC 8414 (section 3.1). */
function placesOf(issuer: string, issuers: Place['issuers']): Place[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  return [
    { url: new URL(origin + path + oidcSuffix), issuers },
    { url: new URL(origin + oauthPrefix + path), issuers },
  ]
}

/** The metadata at a URL; undefined, with a note of what came back, when there is none. */
async function read(safeFetch: SafeFetch, url: URL, tried: string[]): Promise<Metadata | undefined> {
  const from = showUrl(url)
  try {
    const response = await safeFetch(url, { headers: { accept: 'application/json' } })
    if (response.status !== 200) {
      tried.push(`${from} answered ${response.status}`)
      return undefined
    }
    const document = await readJsonObject(response)
    if (typeof document === 'string') {
      tried.push(`${from} answered with ${document}`)
      return undefined
    }
    const { issuer } = document
    if (typeof issuer === 'string') return { issuer, document, from }
    tried.push(`${from} answered with no issuer in it`)
    return undefined
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error
    if (error.kind === 'address') throw new AuthconnError('provider_address_refused', error.message)
    if (error.kind === 'host') throw new AuthconnError('provider_host_not_allowed', error.message)
    tried.push(error.message)
    if (error.kind === 'unintelligible') return undefined
    // All places are on one host: the others would take as long to fail.
    throw new AuthconnError('discovery_failed', `No metadata was found. ${tried.join('. ')}.`)
  }
}

function isEndpoint(value: unknown, url: URL): boolean {
  return typeof value === 'string' && URL.canParse(value) && showUrl(new URL(value)) === showUrl(url)
}

function mismatch(from: string, expected: string, actual: string, given: boolean): AuthconnError {
  const named = printableIssuer(actual)
  const advice = given ? '' : ' If that is the provider you mean, give it as the issuer URL.'
  return new AuthconnError('issuer_mismatch', `${from} names the issuer ${named} instead of ${expected}.${advice}`)
}
