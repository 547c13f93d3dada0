import type { AuthMethod, Provider, ProviderEndpoints } from '@authconn/shared'
import type { ProviderFailureKind } from '../../core/oauth-port.ts'

/**
 * What the vault knows of a provider by heart, from its documentation. `{tenant}` stands for one path segment that
 * the provider URL fills in.
 */
export interface CatalogEntry {
  id: string
  name: string
  /** Where the facts are from, and when they were read. */
  documentation: string
  read: string
  /** What to give as provider URL; the others that are recognized follow. */
  providerUrls: readonly [string, ...string[]]
  /** When the provider URL names no tenant. */
  defaultTenant?: string
  /** Tenants that stand for another one's id. */
  tenantIds?: Readonly<Record<string, string>>
  /** `{tenantid}` stands for the id of the tenant that the account turns out to belong to. */
  issuer: string
  /** Other spellings of the issuer in ID tokens. */
  issuerAliases?: readonly string[]
  endpoints: ProviderEndpoints
  tokenEndpointAuthMethod: AuthMethod
  authorizationParameters?: Readonly<Record<string, string>>
  /** Asked for in addition, because without it there is no refresh token. */
  refreshScope?: string
  /** Leaves the nonce out of its ID tokens, against OpenID Connect Core section 2. */
  dropsNonce?: boolean
  /** Between the scopes of a token answer, where it is not a space (RFC 6749 section 3.3). */
  scopeSeparator?: string
  /** Seconds after which a refresh token dies that nobody uses, where answers do not say. */
  refreshTokenIdle?: number
  /** Seconds that its access tokens live, should an answer not say. */
  tokenLifetime?: number
  /** What its own error codes mean. */
  errors?: Readonly<Record<string, ProviderFailureKind>>
}

const day = 86_400

const catalog: readonly CatalogEntry[] = [
  {
    id: 'google',
    name: 'Google',
    documentation: 'https://developers.google.com/identity/protocols/oauth2/web-server',
    read: '2026-11-22',
    providerUrls: [
      'https://accounts.google.com',
      'https://accounts.google.com/o/oauth2/v2/auth',
      'https://accounts.google.com/o/oauth2/auth',
    ],
    issuer: 'https://accounts.google.com',
    issuerAliases: ['accounts.google.com'],
    endpoints: {
      authorization_endpoint: 'https://accounts.google.com/o/oauth2/v2/auth',
      token_endpoint: 'https://oauth2.googleapis.com/token',
      revocation_endpoint: 'https://oauth2.googleapis.com/revoke',
      userinfo_endpoint: 'https://www.googleapis.com/oauth2/v2/userinfo',
      jwks_uri: 'https://www.googleapis.com/oauth2/v3/certs',
    },
    tokenEndpointAuthMethod: 'client_secret_post',
    // Six months.
    refreshTokenIdle: 180 * day,
    // A refresh token comes only with offline access, and then only when the person is asked for consent anew.
    authorizationParameters: { access_type: 'offline', prompt: 'consent' },
  },
  {
    id: 'microsoft',
    name: 'Microsoft 365 / Entra ID',
    documentation: 'https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow',
    read: '2026-11-22',
    providerUrls: [
      'https://login.microsoftonline.com/{tenant}',
      'https://login.microsoftonline.com',
      'https://login.microsoftonline.com/{tenant}/v2.0',
      'https://login.microsoftonline.com/{tenant}/oauth2/v2.0',
      'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize',
    ],
    defaultTenant: 'common',
    tenantIds: { consumers: '9188040d-6c67-4c5b-b112-36a304b66dad' },
    issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0',
    endpoints: {
      authorization_endpoint: 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize',
      token_endpoint: 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token',
      userinfo_endpoint: 'https://graph.microsoft.com/v1.0/me',
      jwks_uri: 'https://login.microsoftonline.com/{tenant}/discovery/v2.0/keys',
    },
    tokenEndpointAuthMethod: 'client_secret_post',
    refreshScope: 'offline_access',
    refreshTokenIdle: 90 * day,
    // Also answered by the token endpoint here: only a person can help.
    errors: { interaction_required: 'invalid_grant', consent_required: 'invalid_grant' },
  },
  {
    id: 'quickbooks',
    name: 'QuickBooks (Intuit)',
    documentation:
      'https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/oauth-2.0',
    read: '2026-11-22',
    providerUrls: [
      'https://appcenter.intuit.com/connect/oauth2',
      'https://appcenter.intuit.com',
      'https://oauth.platform.intuit.com/op/v1',
    ],
    issuer: 'https://oauth.platform.intuit.com/op/v1',
    endpoints: {
      authorization_endpoint: 'https://appcenter.intuit.com/connect/oauth2',
      token_endpoint: 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer',
      revocation_endpoint: 'https://developer.api.intuit.com/v2/oauth2/tokens/revoke',
      userinfo_endpoint: 'https://accounts.platform.intuit.com/v1/openid_connect/userinfo',
      jwks_uri: 'https://oauth.platform.intuit.com/op/v1/jwks',
    },
    tokenEndpointAuthMethod: 'client_secret_basic',
    refreshTokenIdle: 100 * day,
    // Its metadata lists the claims of its ID tokens; nonce is not among them.
    dropsNonce: true,
  },
  {
    id: 'github',
    name: 'GitHub',
    documentation: 'https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps',
    read: '2026-11-22',
    providerUrls: [
      'https://github.com',
      'https://github.com/login/oauth',
      'https://github.com/login/oauth/authorize',
    ],
    // It sends this as iss (RFC 9207), and issues no ID tokens.
    issuer: 'https://github.com/login/oauth',
    endpoints: {
      authorization_endpoint: 'https://github.com/login/oauth/authorize',
      token_endpoint: 'https://github.com/login/oauth/access_token',
      userinfo_endpoint: 'https://api.github.com/user',
    },
    tokenEndpointAuthMethod: 'client_secret_post',
    scopeSeparator: ',',
    // Of user tokens that expire; others come without a refresh token.
    tokenLifetime: 8 * 3600,
    refreshTokenIdle: 182 * day,
    errors: {
      bad_verification_code: 'invalid_grant',
      bad_refresh_token: 'invalid_grant',
      incorrect_client_credentials: 'client',
      redirect_uri_mismatch: 'invalid_grant',
    },
  },
]

/** The catalog as the API lists it. */
export function listProviders(): Provider[] {
  return catalog.map(({ id, name, providerUrls, issuer, documentation }) => ({
    id,
    name,
    provider_url: providerUrls[0],
    issuer_url: issuer.replace('{tenantid}', '{tenant}'),
    documentation,
  }))
}

/** The entry of that id; null is for providers that are not from the catalog. */
export function findCatalogEntry(id: string | null): CatalogEntry | undefined {
  return catalog.find((entry) => entry.id === id)
}

/** The entry that a provider URL means, by its origin and path, and the tenant that it names. */
export function recognizeProvider(url: URL): { entry: CatalogEntry; tenant: string | undefined } | undefined {
  for (const entry of catalog) {
    for (const pattern of entry.providerUrls) {
      const match = toRegExp(pattern).exec(url.origin + url.pathname)
      if (match) return { entry, tenant: match.groups?.tenant?.toLowerCase() }
    }
  }
  return undefined
}

function toRegExp(pattern: string): RegExp {
  const escaped = pattern
    .replace(/[.\\+*?[^\]$(){}|]/g, '\\$&')
    .replace('\\{tenant\\}', '(?<tenant>[A-Za-z0-9.-]+)')
  return new RegExp(`^${escaped}/?$`)
}
