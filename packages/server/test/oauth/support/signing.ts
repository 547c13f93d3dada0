import { generateKeyPairSync, sign } from 'node:crypto'

export interface SigningKey {
  jwk: Record<string, unknown>
  sign(claims: object, header?: object): string
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** An RS256 key as a provider has it. */
export function createSigningKey(kid: string): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' },
    sign(claims, header = { alg: 'RS256', kid }) {
      const input = `${encode(header)}.${encode(claims)}`
      return `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`
    },
  }
}

/** A JWT with whatever is given for a signature. */
export function assemble(header: object, claims: object, signature = ''): string {
  return `${encode(header)}.${encode(claims)}.${signature}`
}
