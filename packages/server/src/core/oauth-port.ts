import type {
  Account,
  Assertion,
  AuthMethod,
  GrantType,
  ProviderEndpoints,
  TokenRequest,
  VariableName,
} from '@authconn/shared'
import type { ClientCredential } from './connections/client-credential.ts'
import type { Secret } from './secret.ts'

/** What someone knows of a provider when creating a connection. */
export interface ProviderInput {
  /** Id in the catalog; otherwise the provider URL is there. */
  provider?: string
  providerUrl?: string
  /** What fills in the catalog's URLs. */
  variables?: Partial<Record<VariableName, string>>
  clientId: string
  /** How its tokens are come by; authorization_code unless given. */
  grantType?: GrantType
  issuerUrl?: string
  tokenEndpointAuthMethod?: AuthMethod
  /** How the client can authenticate, in the order in which it is tried where nobody says. */
  authMethods: readonly AuthMethod[]
  /** How its assertions are signed, where it has a key. */
  keyAlgorithm?: string
  endpoints: Partial<ProviderEndpoints>
}

/** A provider with everything the vault needs to talk to it. */
export interface ResolvedProvider {
  /** Id in the catalog, or null. */
  provider: string | null
  issuer: string | null
  endpoints: ProviderEndpoints
  tokenEndpointAuthMethod: AuthMethod
  /** RFC 9207: the provider says that it sends `iss` in every authorization response. */
  issParameterSupported: boolean
  /** Parameters this provider wants in the authorization request, such as access_type=offline. */
  authorizationParameters: Record<string, string>
}

/** One connection's OAuth client, its credential opened for the length of a call. */
export interface OAuthClient extends ResolvedProvider {
  clientId: string
  credential: ClientCredential
}

/** What may be known of a client without opening its credential. */
export type PublicClient = Omit<OAuthClient, 'credential'>

/** What a provider gave, checked and normalized. */
export interface TokenSet {
  accessToken: Secret
  /** As the provider spells it; `Bearer` in canonical case. */
  tokenType: string
  /** Seconds from the moment the provider was asked; null when the token has no end. */
  expiresIn: number | null
  /** The provider did not say, and neither does introspection: it is what the catalog has, or a cautious guess. */
  expiryAssumed: boolean
  /** null: none in the answer. On a refresh the former one stays in use (RFC 6749 section 6). */
  refreshToken: Secret | null
  /** Seconds that the refresh token lives unless it is used; null when neither the answer nor the catalog says. */
  refreshTokenExpiresIn: number | null
  /** Space-separated; null: none in the answer. */
  scope: string | null
}

/** Tokens, with what else was said beside them. */
export interface RefreshedTokens extends TokenSet {
  /** What the provider's API needs besides a token, by the names of the catalog. */
  metadata: Record<string, string>
}

/** The tokens of a new authorization. */
export interface AuthorizedTokens extends RefreshedTokens {
  /** Whose tokens they are, where the answer says it. */
  account: Account | null
}

/**
 * Why a call to a provider gave no tokens.
 * - denied: the authorization response carried an error (RFC 6749 section 4.1.2.1)
 * - invalid_grant: the code or refresh token is not accepted (RFC 6749 section 5.2)
 * - client: invalid_client or unauthorized_client
 * - address: the vault does not call that address
 * - host: the operator's list of hosts does not have it
 * - issuer: iss is not the expected issuer, or missing where advertised (RFC 9207)
 * - id_token: the ID token did not pass validation
 * - callback: the redirected URL breaks the protocol
 * - passing: timeout, connection trouble, 408, 429 or 5xx
 * - unsupported: the provider does not revoke tokens of that type (RFC 7009 section 2.2.1); asking again is of no use
 * - unrecognized: a refusal that fits no RFC; neither a passing trouble nor proof that the grant is dead
 * - unintelligible: a success or a redirect that cannot be read, or a request that breaks off in its answer
 */
export type ProviderFailureKind =
  | 'denied'
  | 'invalid_grant'
  | 'client'
  | 'address'
  | 'host'
  | 'issuer'
  | 'id_token'
  | 'callback'
  | 'passing'
  | 'unsupported'
  | 'unrecognized'
  | 'unintelligible'

interface ProviderFailureFacts {
  /** Seconds, from Retry-After, when the provider sent one. */
  retryAfter?: number | undefined
  /** The error code in the answer, where it had one that can be printed. */
  oauthError?: string | undefined
  /** HTTP status, where there was an answer. */
  status?: number | undefined
  /** `unknown`: the provider may have done what it was asked. By default it has not. */
  outcome?: 'none' | 'unknown' | undefined
  /** A new refresh token in an answer that is otherwise of no use: the former one may have ended with it. */
  rotated?: Secret | undefined
}

export class ProviderFailure extends Error {
  readonly kind: ProviderFailureKind
  readonly retryAfter: number | undefined
  readonly oauthError: string | undefined
  readonly status: number | undefined
  readonly outcome: 'none' | 'unknown'
  readonly rotated: Secret | undefined

  /** `detail` is shown to people and stored: it must never hold a token, code or secret, nor a raw body. */
  constructor(
    kind: ProviderFailureKind,
    detail: string,
    options: ProviderFailureFacts & { cause?: unknown } = {},
  ) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'ProviderFailure'
    this.kind = kind
    this.retryAfter = options.retryAfter
    this.oauthError = options.oauthError
    this.status = options.status
    this.outcome = options.outcome ?? 'none'
    this.rotated = options.rotated
  }
}

export interface AuthorizationRequest {
  redirectUri: string
  scopes: readonly string[]
  state: string
  /** Only where `openid` is asked. */
  nonce: string | null
  codeVerifier: Secret
}

/** What a client is told to show to people, and to ask with (RFC 8628 section 3.2). */
export interface DeviceCodes {
  deviceCode: Secret
  userCode: string
  verificationUri: string
  verificationUriComplete: string | null
  /** Seconds. */
  expiresIn: number
  /** Seconds between two questions. */
  interval: number
}

/** What a provider asks of assertions (RFC 7523 section 3), as far as it is known by name. */
export interface AssertionHabits extends Pick<Assertion, 'scope_claim' | 'lifetime'> {
  /** null: the issuer or the token endpoint names the provider. */
  audience: string | null
  /** Of the application's own tokens: the issuer, nobody, or an account that has to be named. */
  subject: 'issuer' | 'none' | 'required'
}

/** Core's view of OAuth 2.0 providers. Token calls throw ProviderFailure. */
export interface OAuth {
  /**
   * Recognizes, discovers or takes as given. Throws AuthconnError provider_url_invalid, provider_address_refused,
   * provider_host_not_allowed, discovery_failed, issuer_mismatch, pkce_unsupported, auth_method_unsupported or
   * invalid_request.
   */
  resolveProvider(input: ProviderInput): Promise<ResolvedProvider & { providerUrl: string }>
  /** What is asked for where nobody says. */
  defaultScopes(provider: string | null): readonly string[]
  /** The URL to open in a browser (RFC 6749 section 4.1.1, RFC 7636 S256). */
  authorizationUrl(client: PublicClient, request: AuthorizationRequest): Promise<string>
  /** The same with the request pushed to the provider before (RFC 9126), of a client that has an endpoint for it. */
  pushAuthorization(client: OAuthClient, request: AuthorizationRequest): Promise<string>
  /** Checks the authorization response (RFC 6749 section 4.1.2, RFC 9207) and exchanges its code, once. */
  exchangeCode(client: OAuthClient, request: AuthorizationRequest, redirectedUrl: URL): Promise<AuthorizedTokens>
  /** `redirectUri`: of the authorization, for providers that want to be told. */
  refresh(client: OAuthClient, refreshToken: Secret, redirectUri?: string | null): Promise<RefreshedTokens>
  /** Asks for a token by what the client itself holds (RFC 6749 section 4.4, RFC 7523 section 2.1). */
  requestToken(client: OAuthClient, wanted: TokenRequest & { subject: string }): Promise<RefreshedTokens>
  assertionHabits(provider: string | null): AssertionHabits
  /** Begins an authorization by a device code (RFC 8628). The client must have an endpoint for it. */
  startDevice(client: OAuthClient, scopes: readonly string[]): Promise<DeviceCodes>
  /** Asks once whether the person has decided. Throws ProviderFailure, also where it is too early to tell. */
  pollDevice(client: OAuthClient, scopes: readonly string[], deviceCode: Secret): Promise<AuthorizedTokens>
  /** Asks the provider whose token it is, once and briefly; null where it has no place for that. */
  findAccount(client: OAuthClient, accessToken: Secret): Promise<Account | null>
  /**
   * RFC 7009. The client must have a revocation endpoint. `gone`: the provider says that it does not know the token any
   * more, so it has revoked nothing by it. `unsupported` where it does not take such tokens.
   */
  revoke(client: OAuthClient, token: Secret, hint: 'refresh_token' | 'access_token'): Promise<'revoked' | 'gone'>
}
