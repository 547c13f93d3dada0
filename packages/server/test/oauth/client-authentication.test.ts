import { describe, expect, test } from 'vitest'
import { authenticate } from '../../src/adapters/oauth/client-authentication.ts'
import { clientOf, secretOf } from './support/clients.ts'

async function sentBy(method: 'client_secret_basic' | 'client_secret_post', clientId: string, secret: string) {
  const client = clientOf({ tokenEndpointAuthMethod: method, clientId, credential: secretOf(secret) })
  const [body, headers] = [new URLSearchParams(), new Headers()]
  await authenticate(client)({ issuer: 'https://idp.example' }, { client_id: clientId }, body, headers)
  return { body: Object.fromEntries(body), authorization: headers.get('authorization') }
}

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
