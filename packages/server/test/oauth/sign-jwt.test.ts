import { generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto'
import { jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { signJwt } from '../../src/adapters/oauth/sign-jwt.ts'
import type { KeyAlgorithm } from '../../src/core/connections/client-key.ts'
import { Secret } from '../../src/core/secret.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pairs: Record<KeyAlgorithm, KeyPairKeyObjectResult> = {
  RS256: rsa,
  PS256: rsa,
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ES384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  ES512: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  EdDSA: generateKeyPairSync('ed25519'),
}

describe('a signed JWT', () => {
  test.each(Object.entries(pairs) as [KeyAlgorithm, KeyPairKeyObjectResult][])(
    'by %s has its claims and header alone, and a signature that holds',
    async (algorithm, { privateKey, publicKey }) => {
      const key = {
        kind: 'key' as const,
        privateKey: new Secret(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()),
        algorithm,
        keyId: algorithm === 'EdDSA' ? null : 'key-1',
        certificate: null,
      }
      const claims = { iss: 'client', sub: 'user', exp: Math.floor(Date.now() / 1000) + 120 }
      const { payload, protectedHeader } = await jwtVerify((await signJwt(key, claims)).reveal(), publicKey)
      expect(payload).toEqual(claims)
      // Providers that know EdDSA by its older name are more.
      expect(protectedHeader).toEqual(key.keyId ? { alg: algorithm, kid: 'key-1' } : { alg: algorithm })
    },
  )
})
