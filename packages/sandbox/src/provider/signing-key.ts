import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import type { JWK } from 'oidc-provider'

export const signingAlgs = ['RS256', 'ES256'] as const

export type SigningAlg = (typeof signingAlgs)[number]

export interface SigningKey {
  alg: SigningAlg
  /** With its private part. */
  jwk: JWK
  sign(claims: object): string
  /** As `sign`, under this key's id but by a key that nobody publishes. */
  forge(claims: object): string
}

/** A key that lives as long as the process. RS256 takes some 50 ms to make and is what most providers sign with. */
export function createSigningKey(alg: SigningAlg): SigningKey {
  const privateKey = generatePrivateKey(alg)
  const kid = randomBytes(8).toString('hex')
  const exported = privateKey.export({ format: 'jwk' })
  return {
    alg,
    jwk: { ...exported, kty: exported.kty ?? '', kid, alg, use: 'sig' },
    sign: (claims) => signJwt(alg, kid, privateKey, claims),
    forge: (claims) => signJwt(alg, kid, generatePrivateKey(alg), claims),
  }
}

function generatePrivateKey(alg: SigningAlg): KeyObject {
  return alg === 'RS256'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    : generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
}

function signJwt(alg: SigningAlg, kid: string, key: KeyObject, claims: object): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${encode({ alg, kid })}.${encode(claims)}`
  // RFC 7518 section 3.4 wants the two numbers of an ES256 signature side by side, not DER.
  const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

export function decodeClaims(jwt: string): Record<string, unknown> {
  const claims: unknown = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())
  return { ...(claims as object) }
}
