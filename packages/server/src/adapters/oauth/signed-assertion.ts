import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { type ClientAuth, modifyAssertion, PrivateKeyJwt } from 'oauth4webapi'
import type { ClientCredential } from '../../core/connections/client-credential.ts'
import type { KeyAlgorithm } from '../../core/connections/client-key.ts'
import type { OAuthClient } from '../../core/oauth-port.ts'
import { isOpenIssuer } from './issuer.ts'

export type ClientKey = ClientCredential & { kind: 'key' }

/** private_key_jwt: an assertion for this one request, a minute long, signed by the client's key (RFC 7523 section 2.2). */
export function signedAssertion(client: OAuthClient, key: ClientKey): ClientAuth {
  const { privateKey, algorithm, keyId } = key
  const cryptoKey = createPrivateKey(privateKey.reveal()).toCryptoKey(parameters[algorithm], false, ['sign'])
  return PrivateKeyJwt(keyId === null ? { key: cryptoKey } : { key: cryptoKey, kid: keyId }, {
    [modifyAssertion](header, payload) {
      // The library says Ed25519 (RFC 9864); providers that know the older name are more.
      Object.assign(header, headerOf(key))
      payload.aud = audience(client)
    },
  })
}

/** The header of what a client's key signs. */
export function headerOf({ algorithm, keyId, certificate }: ClientKey) {
  return {
    alg: algorithm,
    ...(keyId === null ? {} : { kid: keyId }),
    ...(certificate === null ? {} : { 'x5t#S256': thumbprint(certificate) }),
  }
}

const parameters: Readonly<
  Record<KeyAlgorithm, Parameters<ReturnType<typeof createPrivateKey>['toCryptoKey']>[0]>
> = {
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  PS256: { name: 'RSA-PSS', hash: 'SHA-256' },
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  ES384: { name: 'ECDSA', namedCurve: 'P-384' },
  ES512: { name: 'ECDSA', namedCurve: 'P-521' },
  EdDSA: { name: 'Ed25519' },
}

/** RFC 7515 section 4.1.8, of the first certificate of the chain. */
function thumbprint(certificate: string): string {
  return createHash('sha256').update(new X509Certificate(certificate).raw).digest('base64url')
}

/**
 * The issuer alone, so that no other server can be made to take the assertion for one of its own. Where the connection
 * knows of none, or one that depends on the account, the token endpoint names the server (RFC 7523 section 3).
 */
function audience(client: OAuthClient): string {
  return client.issuer === null || isOpenIssuer(client) ? client.endpoints.token_endpoint : client.issuer
}
