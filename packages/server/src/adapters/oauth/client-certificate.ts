import { type OAuthClient, ProviderFailure } from '../../core/oauth-port.ts'
import type { Secret } from '../../core/secret.ts'

/** What a client shows of itself in TLS (RFC 8705): its certificate, chain included, and the key to it, both PEM. */
export interface ClientCertificate {
  key: Secret
  certificate: string
}

/** The certificate of a client that authenticates by it; undefined for all others. Throws ProviderFailure `client`. */
export function certificateOf({
  tokenEndpointAuthMethod: method,
  credential,
}: OAuthClient): ClientCertificate | undefined {
  if (method !== 'tls_client_auth' && method !== 'self_signed_tls_client_auth') return undefined
  if (credential.kind === 'key' && credential.certificate !== null) {
    return { key: credential.privateKey, certificate: credential.certificate }
  }
  throw new ProviderFailure('client', `The client has no certificate to authenticate with by ${method}`)
}
