import {
  type AuthorizationServer,
  allowInsecureRequests,
  type CustomFetchOptions,
  customFetch,
  expectNoNonce,
  getValidatedIdTokenClaims,
  type JWKSCacheInput,
  jwksCache,
  KEY_SELECTION,
  OperationProcessingError,
  processAuthorizationCodeResponse,
  UnsupportedOperationError,
  validateApplicationLevelSignature,
} from 'oauth4webapi'
import { type AuthorizationRequest, type OAuthClient, ProviderFailure } from '../../core/oauth-port.ts'
import { expectedIssuer } from './issuer.ts'
import { toAuthorizationServer, toOAuthClient } from './provider-call.ts'
import { findCatalogEntry } from './providers.ts'
import { readJsonObject } from './read-json.ts'
import type { SafeFetch } from './safe-fetch.ts'
import type { TokenAnswer } from './token-answer.ts'

/** Throws ProviderFailure `id_token`, or what fetching the keys throws. */
export type ValidateIdToken = (
  client: OAuthClient,
  request: Pick<AuthorizationRequest, 'scopes' | 'nonce'>,
  answer: Omit<TokenAnswer, 'fields'>,
) => Promise<void>

/**
 * Validates the ID token of a code exchange (OpenID Connect Core section 3.1.3.7): issuer, audience, authorized
 * party, times, nonce, and its signature where the provider's keys are known. Without a jwks_uri the signature is
 * not checked, which item 6 permits for a token that came from the token endpoint over TLS. HS256 is refused like
 * `none`: whoever holds the client secret could issue such tokens.
 */
export function createValidateIdToken(safeFetch: SafeFetch, clock = () => performance.now()): ValidateIdToken {
  const keySets = createKeySets()

  return async function validateIdToken(client, request, { idToken, grantedScopes }) {
    if (idToken === null) {
      if (!isRequired(client, request, grantedScopes)) return
      throw new ProviderFailure('id_token', 'The scope openid was granted, but there is no ID token in the answer')
    }
    const unverified = decodeClaims(idToken)
    const dropped = findCatalogEntry(client.provider)?.drops_nonce && unverified.nonce === undefined
    const server: AuthorizationServer = {
      ...toAuthorizationServer(client),
      // A connection without an issuer has nothing to compare with; all else is checked.
      issuer: expectedIssuer(client, unverified) ?? String(unverified.iss),
      id_token_signing_alg_values_supported: signingAlgorithms,
    }
    // The library sees the ID token only: its errors carry what it was given.
    const answer = Response.json({ access_token: 'none', token_type: 'bearer', id_token: idToken })
    try {
      const result = await processAuthorizationCodeResponse(server, toOAuthClient(client), answer, {
        expectedNonce: request.nonce === null || dropped ? expectNoNonce : request.nonce,
        requireIdToken: true,
      })
      const claims = getValidatedIdTokenClaims(result)
      checkAuthorizedParty(client, claims?.azp)
      checkIssueTime(claims?.iat)
      if (client.endpoints.jwks_uri) await validateSignature(server, answer, client.endpoints.jwks_uri)
    } catch (error) {
      throw toFailure(error)
    }
  }

  /**
   * An unknown key id is what a provider that has changed its keys looks like: they are fetched once more, whatever their
   * age, but for each key set at most once a minute, so that made-up key ids do not make the vault a source of load.
   */
  async function validateSignature(server: AuthorizationServer, answer: Response, jwksUri: string): Promise<void> {
    const keySet = keySets.get(jwksUri)
    const fetchesBefore = keySet.fetches
    const startedAt = clock()
    try {
      await verify(server, answer, jwksUri, keySet)
    } catch (error) {
      const isFresh = keySet.fetches > fetchesBefore
      if (!isUnknownKey(error) || isFresh) throw error
      if (clock() - keySet.forcedAt >= forcedPause) {
        keySet.forcedAt = clock()
        keySet.cache = {}
      } else if (keySet.forcedAt < startedAt) throw error
      // Else another has just had them fetched, after this one had looked at the former.
      // The library keeps what it fetched with the object that stands for the server as well.
      await verify({ ...server }, answer, jwksUri, keySet)
    }
  }

  async function verify(server: AuthorizationServer, answer: Response, jwksUri: string, keySet: KeySet) {
    await validateApplicationLevelSignature(server, answer, {
      // The library fetches the keys again after five minutes.
      [jwksCache]: keySet.cache,
      [allowInsecureRequests]: new URL(jwksUri).protocol === 'http:',
      [customFetch]: async (url: string, { headers }: CustomFetchOptions<'GET'>) => {
        keySet.fetches++
        return fetchKeys(url, headers)
      },
    })
  }

  async function fetchKeys(url: string, headers: Record<string, string>): Promise<Response> {
    const response = await safeFetch(url, { headers })
    const failed = (kind: 'passing' | 'unintelligible', what: string) =>
      new ProviderFailure(kind, `The provider's keys (jwks_uri) could not be read: ${what}`)
    if (response.status !== 200) {
      const isPassing = response.status === 429 || response.status >= 500
      throw failed(isPassing ? 'passing' : 'unintelligible', `status ${response.status}`)
    }
    const document = await readJsonObject(response)
    if (typeof document === 'string') throw failed('unintelligible', document)
    if (!Array.isArray(document.keys) || document.keys.length > mostKeys) {
      throw failed(
        'unintelligible',
        Array.isArray(document.keys) ? `more than ${mostKeys} of them` : 'no list of keys',
      )
    }
    return Response.json(document)
  }
}

interface KeySet {
  cache: JWKSCacheInput
  fetches: number
  /** When it was last fetched again for an unknown key id, in milliseconds. */
  forcedAt: number
}

const mostKeys = 100

/** Milliseconds. */
const forcedPause = 60_000

function isUnknownKey(error: unknown): boolean {
  return error instanceof OperationProcessingError && error.code === KEY_SELECTION
}

/** The key sets by their URLs; the one in use longest ago goes first. */
function createKeySets() {
  const keySets = new Map<string, KeySet>()
  return {
    get(jwksUri: string): KeySet {
      const keySet = keySets.get(jwksUri) ?? { cache: {}, fetches: 0, forcedAt: Number.NEGATIVE_INFINITY }
      keySets.delete(jwksUri)
      keySets.set(jwksUri, keySet)
      const [oldest] = keySets.keys()
      if (keySets.size > maxCaches && oldest !== undefined) keySets.delete(oldest)
      return keySet
    },
  }
}

const maxCaches = 100

/** All that oauth4webapi verifies with a public key. Metadata's own list is not kept with a connection. */
const signingAlgorithms = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 Ed25519 EdDSA'.split(' ')

/**
 * Asking for openid makes a server that knows it send an ID token (OpenID Connect Core section 3.1.3.3). One that
 * does not know it grants other scopes, and must then say which (RFC 6749 section 5.1). Without an issuer it is not
 * even said to be an OpenID provider.
 */
function isRequired(
  client: OAuthClient,
  request: Pick<AuthorizationRequest, 'scopes'>,
  granted: TokenAnswer['grantedScopes'],
): boolean {
  if (client.issuer === null || !request.scopes.includes('openid')) return false
  return granted === null || granted.includes('openid')
}

/** Read before anything is verified, only to know what to verify it against. */
function decodeClaims(idToken: string): Record<string, unknown> {
  try {
    const claims: unknown = JSON.parse(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString())
    return typeof claims === 'object' && claims !== null ? { ...claims } : {}
  } catch {
    return {}
  }
}

/** OpenID Connect Core section 3.1.3.7 item 5; the library looks at azp only when there are several audiences. */
function checkAuthorizedParty(client: OAuthClient, azp: unknown): void {
  if (azp === undefined || azp === client.clientId) return
  throw new ProviderFailure('id_token', 'The ID token was issued to another client (azp)')
}

/** Seconds by which the clock of a provider may be ahead. */
const clockTolerance = 300

/** OpenID Connect Core section 3.1.3.7 item 10 leaves it to the client; nobody honest issues tokens in the future. */
function checkIssueTime(iat: number | undefined): void {
  if (iat === undefined || iat <= Date.now() / 1000 + clockTolerance) return
  throw new ProviderFailure('id_token', 'The ID token is from the future (iat)')
}

/** The library's own messages are fixed sentences; its causes hold claims and keys, and are left out. */
function toFailure(error: unknown): ProviderFailure {
  if (error instanceof ProviderFailure) return error
  const known = error instanceof OperationProcessingError || error instanceof UnsupportedOperationError
  return new ProviderFailure(
    'id_token',
    known ? error.message : 'The ID token or the key to verify it is malformed',
  )
}
