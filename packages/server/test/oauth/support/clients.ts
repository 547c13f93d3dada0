import type { ProviderEndpoints } from '@authconn/shared'
import type { AuthorizationRequest, OAuthClient } from '../../../src/core/oauth-port.ts'
import { Secret } from '../../../src/core/secret.ts'

export const idp = 'https://idp.example'

export const endpoints: ProviderEndpoints = {
  authorization_endpoint: `${idp}/authorize`,
  token_endpoint: `${idp}/token`,
  revocation_endpoint: `${idp}/revoke`,
  jwks_uri: `${idp}/jwks`,
}

export const secretMethods = ['client_secret_basic', 'client_secret_post'] as const

export function secretOf(secret: string): OAuthClient['credential'] & { kind: 'secret' } {
  return { kind: 'secret', secret: new Secret(secret) }
}

export function clientOf(changes: Partial<OAuthClient> = {}): OAuthClient {
  return {
    provider: null,
    issuer: idp,
    endpoints,
    tokenEndpointAuthMethod: 'client_secret_basic',
    issParameterSupported: false,
    authorizationParameters: {},
    clientId: 'client-id',
    credential: secretOf('client-secret-0123456789'),
    ...changes,
  }
}

export function requestOf(changes: Partial<AuthorizationRequest> = {}): AuthorizationRequest {
  return {
    redirectUri: 'http://127.0.0.1:8080/callback',
    scopes: ['read'],
    state: 'state-0123456789',
    nonce: null,
    codeVerifier: new Secret('verifier-0123456789-0123456789-0123456789-01'),
    ...changes,
  }
}

export function callback(parameters: Record<string, string> | string): URL {
  return new URL(`http://127.0.0.1:8080/callback?${new URLSearchParams(parameters)}`)
}
