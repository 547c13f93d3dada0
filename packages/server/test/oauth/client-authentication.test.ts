import { createHash, generateKeyPairSync, verify, X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { authenticate } from '../../src/adapters/oauth/client-authentication.ts'
import { certificateOf } from '../../src/adapters/oauth/client-certificate.ts'
import type { OAuthClient } from '../../src/core/oauth-port.ts'
import { Secret } from '../../src/core/secret.ts'
import { clientCertificate } from '../support/certificates.ts'
import { clientOf, secretOf } from './support/clients.ts'

async function sentBy(method: 'client_secret_basic' | 'client_secret_post', clientId: string, secret: string) {
  const client = clientOf({ tokenEndpointAuthMethod: method, clientId, credential: secretOf(secret) })
  const [body, headers] = [new URLSearchParams(), new Headers()]
  await authenticate(client)({ issuer: 'https://idp.example' }, { client_id: clientId }, body, headers)
  return { body: Object.fromEntries(body), authorization: headers.get('authorization') }
}

describe('RFC 7523: a client signs an assertion', () => {
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const credential = {
    kind: 'key',
    privateKey: new Secret(key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()),
    algorithm: 'ES256',
    keyId: 'key 1',
    certificate: null,
  } as const
  const decode = (part = '') => JSON.parse(Buffer.from(part, 'base64url').toString())

  async function assertionOf(changes: Partial<OAuthClient>) {
    const client = clientOf({ tokenEndpointAuthMethod: 'private_key_jwt', credential, ...changes })
    const [body, headers] = [new URLSearchParams(), new Headers()]
    await authenticate(client)({ issuer: 'https://ignored.example' }, { client_id: 'client-id' }, body, headers)
    const [header, payload, signature = ''] = (body.get('client_assertion') ?? '').split('.')
    const isSigned = verify(
      'sha256',
      Buffer.from(`${header}.${payload}`),
      { key: key.publicKey, dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'),
    )
    return { header: decode(header), payload: decode(payload), isSigned, body }
  }

  test('for the issuer alone, for a minute, with an id of its own each time', async () => {
    const { header, payload, isSigned, body } = await assertionOf({})
    expect(isSigned).toBe(true)
    expect(header).toEqual({ alg: 'ES256', kid: 'key 1' })
    expect(payload).toMatchObject({ iss: 'client-id', sub: 'client-id', aud: 'https://idp.example' })
    expect(payload.exp - payload.iat).toBe(60)
    expect(payload.jti).not.toBe((await assertionOf({})).payload.jti)
    expect(body.get('client_assertion_type')).toBe('urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
    expect(body.get('client_id')).toBe('client-id')
  })

  test('for the token endpoint where no one issuer is known', async () => {
    expect((await assertionOf({ issuer: null })).payload.aud).toBe('https://idp.example/token')
    const microsoft = { provider: 'microsoft', issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0' }
    expect((await assertionOf(microsoft)).payload.aud).toBe('https://idp.example/token')
  })

  test('with the thumbprint of its certificate, where it has one', async () => {
    const { header } = await assertionOf({ credential: { ...credential, certificate: clientCertificate.cert } })
    const { raw } = new X509Certificate(clientCertificate.cert)
    expect(header['x5t#S256']).toBe(createHash('sha256').update(raw).digest('base64url'))
  })

  test('and cannot without a key, nor show a certificate that it has not', async () => {
    const withSecret = clientOf({ tokenEndpointAuthMethod: 'private_key_jwt' })
    expect(() => authenticate(withSecret)).toThrow('nothing to authenticate with by private_key_jwt')
    expect(() => authenticate(clientOf({ credential }))).toThrow('nothing to authenticate with')
    expect(() => certificateOf(clientOf({ tokenEndpointAuthMethod: 'tls_client_auth', credential }))).toThrow(
      'no certificate',
    )
  })
})

describe('RFC 6749 section 2.3.1: a client authenticates', () => {
  test.each([
    ['id', 'secret', 'id:secret'],
    // What most secrets are made of reads the same to servers that forget to decode.
    ['my-app_1.example', 'a-b_c.d*e', 'my-app_1.example:a-b_c.d*e'],
    ['a:b', 'c d+e/f=%&', 'a%3Ab:c+d%2Be%2Ff%3D%25%26'],
    ['id', '~!()', 'id:%7E%21%28%29'],
  ])('by Basic, %s and %s each form-encoded', async (clientId, secret, credentials) => {
    const { authorization, body } = await sentBy('client_secret_basic', clientId, secret)
    expect(authorization).toBe(`Basic ${btoa(credentials)}`)
    expect(body).toEqual({})
  })

  test('in the body', async () => {
    expect(await sentBy('client_secret_post', 'a:b', 'c d')).toEqual({
      body: { client_id: 'a:b', client_secret: 'c d' },
      authorization: null,
    })
  })
})
