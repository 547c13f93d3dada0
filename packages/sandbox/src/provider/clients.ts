import { randomBytes } from 'node:crypto'
import type { ClientMetadata, JWK } from 'oidc-provider'
import type { SigningAlg } from './signing-key.ts'

export interface SandboxClient {
  client_id: string
  /** Of no use to a client that authenticates by a key, or is public. */
  client_secret: string
  /** By default `/callback` on 127.0.0.1, [::1] and localhost. Loopback ones are good for any port (RFC 8252 section 7.3). */
  redirect_uris?: readonly string[]
  /** How the client must authenticate; by its secret in either way by default. */
  token_endpoint_auth_method?: AuthMethod
  /** Whether it authenticates by nothing, as programs on people's machines do (RFC 8252 section 8.4). */
  public?: true
  /** Its public keys: for private_key_jwt, for assertions as grants, and with x5c for self_signed_tls_client_auth. */
  jwks?: { keys: JWK[] }
  /** The issuer of its assertions (RFC 7523 section 2.1), where it is not its id. */
  service_account?: string
  /** For tls_client_auth: the subject of its certificate, such as CN=client. */
  tls_client_auth_subject_dn?: string
}

const secretMethods = ['client_secret_basic', 'client_secret_post'] as const

export const authMethods = [
  ...secretMethods,
  'private_key_jwt',
  'tls_client_auth',
  'self_signed_tls_client_auth',
] as const

export const deviceCodeGrant = 'urn:ietf:params:oauth:grant-type:device_code'

export type AuthMethod = (typeof authMethods)[number]

export function isSecretMethod(method: AuthMethod | undefined): boolean {
  return method === undefined || secretMethods.some((known) => known === method)
}

export function createDefaultClient(): SandboxClient {
  return { client_id: 'sandbox-client', client_secret: randomBytes(24).toString('base64url') }
}

/** A client as the provider's configuration wants it. */
export function toClientMetadata(client: SandboxClient, alg: SigningAlg): ClientMetadata {
  const redirectUris = client.redirect_uris ?? loopbackCallbacks
  return {
    client_id: client.client_id,
    ...(!client.public &&
      isSecretMethod(client.token_endpoint_auth_method) && { client_secret: client.client_secret }),
    ...(client.jwks && { jwks: client.jwks }),
    ...(client.tls_client_auth_subject_dn && { tls_client_auth_subject_dn: client.tls_client_auth_subject_dn }),
    redirect_uris: [...redirectUris],
    token_endpoint_auth_method: client.public
      ? 'none'
      : (client.token_endpoint_auth_method ?? 'client_secret_basic'),
    // Only for native clients does the provider overlook the port; it refuses them http elsewhere.
    application_type: redirectUris.some(isPlainWeb) ? 'web' : 'native',
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials', deviceCodeGrant],
    response_types: ['code'],
    id_token_signed_response_alg: alg,
  }
}

const loopbackCallbacks = ['127.0.0.1', '[::1]', 'localhost'].map((host) => `http://${host}/callback`)

function isPlainWeb(uri: string): boolean {
  const { protocol, hostname } = new URL(uri)
  const loopback = ['127.0.0.1', '[::1]', 'localhost'].includes(hostname)
  return (protocol === 'http:') !== loopback
}
