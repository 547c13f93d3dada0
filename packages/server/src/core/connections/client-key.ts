import { createHash, createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import type { ClientKey, NewClientKey } from '@authconn/shared'
import { AuthconnError } from '../errors.ts'
import { Secret } from '../secret.ts'
import type { ClientCredential } from './client-credential.ts'

export type KeyAlgorithm = ClientKey['algorithm']

/** What may be known of a client's key by those who see its connection. */
export type ClientKeyFacts = ClientKey

/** A client's key from PEM, checked, and what may be told of it. Throws client_key_invalid. */
export function readClientKey(
  given: NewClientKey,
  now = Date.now(),
): { credential: ClientCredential & { kind: 'key' }; facts: ClientKeyFacts } {
  const key = parsePrivateKey(given.private_key)
  const algorithm = chooseAlgorithm(key, given.algorithm)
  const certificate = given.certificate === undefined ? null : checkCertificate(given.certificate, key, now)
  const keyId = given.key_id ?? null
  return {
    credential: {
      kind: 'key',
      privateKey: new Secret(key.export({ type: 'pkcs8', format: 'pem' }).toString()),
      algorithm,
      keyId,
      certificate: certificate?.pem ?? null,
    },
    facts: {
      algorithm,
      key_id: keyId,
      thumbprint: thumbprintOf(key),
      certificate_expires_at: certificate?.expiresAt.toISOString() ?? null,
    },
  }
}

/** The parsers' own messages are left out: they may quote what they were given. */
function parsePrivateKey(pem: string): KeyObject {
  if (/-----BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED/.test(pem)) {
    throw invalid('The private key is encrypted: give it without a passphrase, as the vault seals it itself')
  }
  try {
    return createPrivateKey(pem)
  } catch {
    throw invalid('The private key is not one in PEM (-----BEGIN PRIVATE KEY-----)')
  }
}

const curves: Readonly<Record<string, KeyAlgorithm>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
}

function chooseAlgorithm(key: KeyObject, wanted: KeyAlgorithm | undefined): KeyAlgorithm {
  const possible = algorithmsOf(key)
  const [usual] = possible
  if (!usual) {
    throw invalid('The private key must be RSA with 2048 to 8192 bits, EC on P-256, P-384 or P-521, or Ed25519')
  }
  if (wanted === undefined || possible.includes(wanted)) return wanted ?? usual
  throw invalid(`The private key cannot sign by ${wanted}, only by ${possible.join(' or ')}`)
}

function algorithmsOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): KeyAlgorithm[] {
  if (type === 'ed25519') return ['EdDSA']
  if (type === 'ec') {
    const algorithm = curves[details?.namedCurve ?? '']
    return algorithm ? [algorithm] : []
  }
  const bits = details?.modulusLength ?? 0
  // RFC 7518 section 3.3 asks for 2048 bits; longer ones than these only cost time.
  return type === 'rsa' && bits >= 2048 && bits <= 8192 ? ['RS256', 'PS256'] : []
}

function checkCertificate(pem: string, key: KeyObject, now: number): { pem: string; expiresAt: Date } {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []
  const [leaf] = blocks.map(parseCertificate)
  if (!leaf) throw invalid('The certificate is not one in PEM (-----BEGIN CERTIFICATE-----)')
  if (!leaf.checkPrivateKey(key)) {
    throw invalid('The certificate is not that of the private key; in a chain, it comes first')
  }
  const expiresAt = new Date(leaf.validTo)
  if (expiresAt.getTime() <= now) throw invalid(`The certificate ended at ${expiresAt.toISOString()}`)
  // Nothing but the certificates: a file may hold the key as well.
  return { pem: blocks.join('\n'), expiresAt }
}

function parseCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch {
    throw invalid('The certificate is damaged')
  }
}

/** RFC 7638, by SHA-256: what a provider's console may show of the public key that was registered there. */
function thumbprintOf(key: KeyObject): string {
  const { kty, crv, e, n, x, y } = createPublicKey(key).export({ format: 'jwk' })
  // The members that section 3.2 asks for, in their order; what the key has not is left out.
  return createHash('sha256').update(JSON.stringify({ crv, e, kty, n, x, y })).digest('base64url')
}

function invalid(detail: string): AuthconnError {
  return new AuthconnError('client_key_invalid', detail)
}
