import { randomBytes } from 'node:crypto'
import { type Configuration, Provider } from 'oidc-provider'
import type { FamilyLog } from '../families.ts'
import { endpoints, findEndpoint } from '../http/endpoints.ts'
import { deviceFlowPages } from '../pages/device-pages.ts'
import { renderErrorPage } from '../pages/error-page.ts'
import type { SandboxSettings } from '../settings.ts'
import { findAccount } from './accounts.ts'
import { authMethods, type SandboxClient, toClientMetadata } from './clients.ts'
import { createMemoryAdapter } from './memory-adapter.ts'
import { aliasesAt, mutualTls } from './mutual-tls.ts'
import { claimsByScope, defaultScope } from './scopes.ts'
import type { SigningKey } from './signing-key.ts'

/** The OAuth 2.0 and OpenID provider itself. Every default of the library that prints a notice is replaced. */
export function createProvider(deps: {
  issuer: string
  clients: readonly SandboxClient[]
  key: SigningKey
  settings: SandboxSettings
  families: FamilyLog
  /** Whether authorization requests must be pushed (RFC 9126). */
  requirePushed: boolean
  /** Where clients that authenticate in TLS call; undefined: nowhere. */
  tlsUrl: string | undefined
}): Provider {
  const provider = new Provider(deps.issuer, configure(deps))

  const { host } = new URL(deps.issuer)
  provider.use(async (ctx, next) => {
    // RFC 6749 section 3.3: without `scope`, a server uses its default or refuses. The library would refuse.
    const { scope, request_uri: pushed } = ctx.query
    if (ctx.path === endpoints.authorization && !scope && !pushed)
      ctx.query = { ...ctx.query, scope: defaultScope }
    // The library builds the endpoints' URLs from the Host header; in metadata they belong to the issuer.
    if (findEndpoint(ctx.path) === 'discovery') ctx.req.headers.host = host
    await next()
  })

  const report = provider.onerror.bind(provider)
  provider.onerror = (error) => {
    // Clients that go away in the middle are nothing to print; anything else is a defect to be seen.
    if (!('code' in error && clientLeft.includes(String(error.code)))) report(error)
  }
  return provider
}

const clientLeft = ['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE']

const day = 24 * 60 * 60

function configure({
  issuer,
  clients,
  key,
  settings,
  families,
  requirePushed,
  tlsUrl,
}: Parameters<typeof createProvider>[0]): Configuration {
  // A browser sends cookies to every port of a host, so several sandboxes must not share names.
  const cookieName = (name: string) => `sandbox-${new URL(issuer).port}-${name}`
  return {
    adapter: createMemoryAdapter({ settings, families }),
    clients: clients.map((client) => toClientMetadata(client, key.alg)),
    jwks: { keys: [key.jwk] },
    findAccount,
    claims: claimsByScope,
    scopes: Object.keys(claimsByScope),
    // Most providers put the account's email into the ID token; without this it is only at userinfo.
    conformIdTokenClaims: false,
    clientAuthMethods: [
      ...authMethods.filter((method) => tlsUrl !== undefined || !method.includes('tls')),
      ...(clients.some((client) => client.public) ? (['none'] as const) : []),
    ],
    clientBasedCORS: () => false,
    // A token is dead when it says so, to the second.
    clockTolerance: 0,
    cookies: {
      keys: [randomBytes(32).toString('base64url')],
      names: {
        session: cookieName('session'),
        interaction: cookieName('interaction'),
        resume: cookieName('resume'),
      },
    },
    ...(tlsUrl !== undefined && { discovery: { mtls_endpoint_aliases: aliasesAt(tlsUrl) } }),
    enabledJWA: { idTokenSigningAlgValues: [key.alg] },
    features: {
      clientCredentials: { enabled: true },
      deviceFlow: deviceFlowPages,
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      mTLS: tlsUrl === undefined ? { enabled: false } : mutualTls,
      introspection: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      pushedAuthorizationRequests: {
        enabled: requirePushed,
        requirePushedAuthorizationRequests: requirePushed,
      },
      resourceIndicators: { enabled: false },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      rpInitiatedLogout: { enabled: false },
    },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    // Each consent is a grant of its own, so that ending one family of tokens leaves the others.
    loadExistingGrant: async (ctx) => {
      const grantId = ctx.oidc.result?.consent?.grantId
      return grantId ? ctx.oidc.provider.Grant.find(grantId) : undefined
    },
    expiresWithSession: () => false,
    issueRefreshToken: () => true,
    rotateRefreshToken: () => settings.rotateRefreshTokens,
    pkce: { required: () => true },
    renderError: (ctx, out) => renderErrorPage(ctx, out),
    responseTypes: ['code'],
    routes: {
      authorization: endpoints.authorization,
      token: endpoints.token,
      revocation: endpoints.revocation,
      introspection: endpoints.introspection,
      pushed_authorization_request: endpoints.pushed_authorization,
      device_authorization: endpoints.device_authorization,
      code_verification: '/device',
      userinfo: endpoints.userinfo,
      jwks: endpoints.jwks,
    },
    ttl: {
      AccessToken: () => settings.accessTokenTtl,
      AuthorizationCode: 60,
      ClientCredentials: () => settings.accessTokenTtl,
      DeviceCode: 10 * 60,
      RefreshToken: () => settings.refreshTokenTtl,
      IdToken: () => settings.idTokenTtl,
      Interaction: 60 * 60,
      Session: 14 * day,
      // Not shorter than the refresh tokens that hang on it.
      Grant: () => Math.max(365 * day, settings.refreshTokenTtl),
    },
  }
}
