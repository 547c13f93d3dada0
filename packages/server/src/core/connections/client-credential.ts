import type { AuthMethod, GrantType } from '@authconn/shared'
import { Secret } from '../secret.ts'
import type { KeyAlgorithm } from './client-key.ts'

/** With what a client proves who it is. */
export type ClientCredential =
  | { kind: 'secret'; secret: Secret }
  | {
      kind: 'key'
      /** PKCS #8 in PEM. */
      privateKey: Secret
      algorithm: KeyAlgorithm
      keyId: string | null
      /** PEM, chain included. */
      certificate: string | null
    }

const keyMethods: readonly AuthMethod[] = ['private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth']

/** How a client with this credential can authenticate, in the order in which it is tried where nobody says. */
export function methodsFor(
  credential: ClientCredential,
  grantType: GrantType = 'authorization_code',
): readonly AuthMethod[] {
  if (credential.kind === 'secret') return ['client_secret_basic', 'client_secret_post']
  // The assertion is signed by the same key, and says who asks (RFC 7523 section 3.1).
  if (grantType === 'jwt_bearer') return ['none', ...methodsFor(credential)]
  // Without a certificate there is nothing to show in TLS.
  return credential.certificate === null ? ['private_key_jwt'] : keyMethods
}

export function needsKey(method: AuthMethod): boolean {
  return keyMethods.includes(method)
}

/**
 * What is sealed of a credential. A secret is sealed as it is. Anything else begins with a line break, which no client
 * secret holds; `method` is kept with a credential whose connection has since got another way to authenticate.
 */
export function toSealable(credential: ClientCredential, method?: AuthMethod): Secret {
  if (credential.kind === 'secret') {
    return method === undefined ? credential.secret : keep({ method, secret: credential.secret.reveal() })
  }
  const { privateKey, algorithm, keyId, certificate } = credential
  return keep({ method, privateKey: privateKey.reveal(), algorithm, keyId, certificate })
}

export function fromSealable(opened: Secret): { credential: ClientCredential; method: AuthMethod | undefined } {
  const text = opened.reveal()
  if (!text.startsWith(mark)) return { credential: { kind: 'secret', secret: opened }, method: undefined }
  const kept: Kept = JSON.parse(text.slice(mark.length))
  const { method } = kept
  if ('secret' in kept) return { credential: { kind: 'secret', secret: new Secret(kept.secret) }, method }
  const { privateKey, algorithm, keyId, certificate } = kept
  return { credential: { kind: 'key', privateKey: new Secret(privateKey), algorithm, keyId, certificate }, method }
}

const mark = '\n'

type Kept = { method?: AuthMethod | undefined } & (
  | { secret: string }
  | { privateKey: string; algorithm: KeyAlgorithm; keyId: string | null; certificate: string | null }
)

function keep(values: Kept): Secret {
  return new Secret(mark + JSON.stringify(values))
}
