import { AuthconnError } from '@authconn/sdk'
import * as oauth from 'oauth4webapi'
import { isOnThisMachine } from '../on-this-machine.ts'

/** A public client (RFC 8252) at an OpenID Connect provider; a secret only where the provider insists on one. */
export interface LoginClient {
  issuer: string
  clientId: string
  scopes: readonly string[]
  clientSecret: string | undefined
  /** What the ID token has to come back with. */
  nonce: string
}

export interface BegunLogin {
  url: string
  state: string
  /** Exchanges the code in the redirected URL, and resolves to the ID token. Throws login_failed, and provider_unavailable. */
  finish(redirectedUrl: string): Promise<string>
}

/** Milliseconds for each request. */
const patience = 15_000

/**
 * The code flow with PKCE, a nonce, and the issuer checked in its answer (RFC 9207) as well as in the ID token. The signature of
 * that is for the vault to verify: here it comes from the provider itself, over TLS. Throws login_failed and
 * provider_unavailable.
 */
export async function beginLogin(
  { issuer, clientId, scopes, clientSecret, nonce }: LoginClient,
  redirectUri: string,
  signal: AbortSignal,
): Promise<BegunLogin> {
  const at = new URL(issuer)
  const client: oauth.Client = { client_id: clientId }
  const authentication = clientSecret === undefined ? oauth.None() : oauth.ClientSecretPost(clientSecret)
  const options = () => ({
    signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]),
    // A provider on this machine, for development; the vault takes one only where its operator allows it.
    [oauth.allowInsecureRequests]: isPlainOnThisMachine(at),
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
  for (const each of [endpoint, server.token_endpoint]) refuseUnsafe(each, at)
  const [state, verifier] = [oauth.generateRandomState(), oauth.generateRandomCodeVerifier()]
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

/** The browser of the person is not handed just anything, as a file or a program; nor goes a code anywhere in the clear. */
function refuseUnsafe(endpoint: string, issuer: URL): void {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (url?.protocol === 'https:' || (url && isPlainOnThisMachine(url) && isPlainOnThisMachine(issuer))) return
  throw new AuthconnError('login_failed', `${issuer.href} publishes an endpoint that is not https.`)
}

function isPlainOnThisMachine(url: URL): boolean {
  return url.protocol === 'http:' && isOnThisMachine(url)
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
  const { name, cause, message } = error instanceof Error ? error : new Error(String(error))
  if (name === 'TimeoutError') return outOfReach(`${issuer}: no answer within ${patience / 1000} seconds.`)
  // The library's own errors say themselves what is wrong; of the platform's fetch it is in the cause.
  const isOwn = error instanceof Error && 'code' in error && String(error.code).startsWith('OAUTH_')
  if (!isOwn && cause instanceof Error && cause.message !== '') return outOfReach(`${issuer}: ${cause.message}.`)
  return new AuthconnError('login_failed', `${issuer}: ${message}.`)
}

function outOfReach(detail: string): AuthconnError {
  return new AuthconnError('provider_unavailable', detail, {
    hint: 'It is asked from this machine: check the network, and whether a proxy is needed. Then log in again.',
  })
}

const secretHint =
  'Some providers want the secret of native clients, too: give it by --client-secret-file. Whoever made the trust in the vault has it, or another client.'
