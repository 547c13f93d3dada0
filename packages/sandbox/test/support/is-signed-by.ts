import { createPublicKey, type JsonWebKey, verify } from 'node:crypto'
import { endpoints, type Sandbox } from '../../src/index.ts'

/** Whether the key that the sandbox publishes signed an ID token. */
export async function isSignedBy(sandbox: Sandbox, idToken: unknown): Promise<boolean> {
  const [header = '', payload = '', signature = ''] = String(idToken).split('.')
  const jwks = await fetch(`${sandbox.issuer}${endpoints.jwks}`)
  const { keys } = (await jwks.json()) as { keys: [JsonWebKey] }
  const key = createPublicKey({ key: keys[0], format: 'jwk' })
  return verify(
    'sha256',
    Buffer.from(`${header}.${payload}`),
    { key, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  )
}
