import { AuthconnError } from '@authconn/sdk'
import * as oauth from 'oauth4webapi'

/** A public client (RFC 8252) at an OpenID Connect provider; a secret only where the provider insists on one. */
export interface LoginClient {
  issuer: string
  clientId: string
  scopes: readonly string[]
  clientSecret: string | undefined
}

export interface BegunLogin {
  url: string
  state: string
  /** Exchanges the code in the redirected URL, and resolves to the ID token. Throws login_failed. */
  finish(redirectedUrl: string): Promise<string>
}

/** Milliseconds for each request. */
const patience = 15_000

/**
 * The code flow with PKCE, a nonce, and the issuer checked in its answer (RFC 9207) as well as in the ID token. The signature of
 * that is for the vault to verify: here it comes from the provider itself, over TLS. Throws login_failed.
 */
export async function beginLogin(
  { issuer, clientId, scopes, clientSecret }: LoginClient,
  redirectUri: string,
  signal: AbortSignal,
): Promise<BegunLogin> {
  const at = new URL(issuer)
  const client: oauth.Client = { client_id: clientId }
  const authentication = clientSecret === undefined ? oauth.None() : oauth.ClientSecretPost(clientSecret)
  const options = () => ({
    signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]),
    // A provider on this machine, for development; the vault takes one only where its operator allows it.
    [oauth.allowInsecureRequests]: isOnThisMachine(at),
  })
  const told = <T>(work: () => Promise<T>): Promise<T> =>
    work().catch((error: unknown) => {
      signal.throwIfAborted()
      throw failure(issuer, error)
    })

  const server = await told(async () =>
    oauth.processDiscoveryResponse(at, await oauth.discoveryRequest(at, options())),
  )
  const endpoint = server.authorization_endpoint
  if (endpoint === undefined || server.token_endpoint === undefined) {
    throw new AuthconnError('login_failed', `${issuer} publishes no endpoints for the code flow.`)
  }
  const [state, nonce, verifier] = [
    oauth.generateRandomState(),
    oauth.generateRandomNonce(),
    oauth.generateRandomCodeVerifier(),
  ]
  const url = new URL(endpoint)
  const parameters = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    scope: [...new Set(['openid', ...scopes])].join(' '),
    state,
    nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)

  return {
    url: url.href,
    state,
    finish: (redirectedUrl) =>
      told(async () => {
        const answer = oauth.validateAuthResponse(server, client, new URL(redirectedUrl), state)
        const response = await oauth.authorizationCodeGrantRequest(
          ...([server, client, authentication, answer, redirectUri, verifier, options()] as const),
        )
        const checks = { expectedNonce: nonce, requireIdToken: true }
        const { id_token } = await oauth.processAuthorizationCodeResponse(server, client, response, checks)
        if (id_token === undefined)
          throw new AuthconnError('login_failed', `${issuer} answered without an ID token.`)
        return id_token
      }),
  }
}

function isOnThisMachine({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && /^(?:localhost|\[::1\]|127(?:\.\d+){3})$/.test(hostname)
}

/** Without the cause: what was answered may hold a token. */
function failure(issuer: string, error: unknown): AuthconnError {
  if (error instanceof AuthconnError) return error
  if (error instanceof oauth.AuthorizationResponseError || error instanceof oauth.ResponseBodyError) {
    const { error: code, error_description: words = '' } = error
    const said = words === '' ? code : `${code}: ${words.replace(/\.$/, '')}`
    const isAboutSecret = code === 'invalid_client' || words.includes('client_secret')
    return new AuthconnError('login_failed', `${issuer} says ${said}.`, isAboutSecret ? { hint: secretHint } : {})
  }
  return new AuthconnError('login_failed', `${issuer}: ${reasonOf(error)}.`)
}

const secretHint =
  'Some providers want the secret of native clients, too: give it by --client-secret-file. Whoever made the trust in the vault has it, or another client.'

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `no answer within ${patience / 1000} seconds`
  // Of the platform's fetch: why it failed is in the cause. The library's own say it themselves.
  const isOwn = 'code' in error && typeof error.code === 'string' && error.code.startsWith('OAUTH_')
  const { cause } = error
  return !isOwn && cause instanceof Error && cause.message !== '' ? cause.message : error.message
}
