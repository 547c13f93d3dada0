import { randomBytes } from 'node:crypto'
import type { ClientMetadata } from 'oidc-provider'
import type { SigningAlg } from './signing-key.ts'

export interface SandboxClient {
  client_id: string
  client_secret: string
  /** By default `/callback` on 127.0.0.1, [::1] and localhost. Loopback ones are good for any port (RFC 8252 section 7.3). */
  redirect_uris?: readonly string[]
  /** How the client must authenticate; in either way by default. */
  token_endpoint_auth_method?: 'client_secret_basic' | 'client_secret_post'
}

export function createDefaultClient(): SandboxClient {
  return { client_id: 'sandbox-client', client_secret: randomBytes(24).toString('base64url') }
}

/** A client as the provider's configuration wants it. */
export function toClientMetadata(client: SandboxClient, alg: SigningAlg): ClientMetadata {
  const redirectUris = client.redirect_uris ?? loopbackCallbacks
  return {
    client_id: client.client_id,
    client_secret: client.client_secret,
    redirect_uris: [...redirectUris],
    token_endpoint_auth_method: client.token_endpoint_auth_method ?? 'client_secret_basic',
    // Only for native clients does the provider overlook the port; it refuses them http elsewhere.
    application_type: redirectUris.some(isPlainWeb) ? 'web' : 'native',
    grant_types: ['authorization_code', 'refresh_token'],
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
