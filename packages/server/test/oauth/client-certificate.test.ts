import type { LookupAddress } from 'node:dns'
import { TLSSocket } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { certificateOf } from '../../src/adapters/oauth/client-certificate.ts'
import { createRevoke } from '../../src/adapters/oauth/revoke.ts'
import { Secret } from '../../src/core/secret.ts'
import { authority, clientCertificate } from '../support/certificates.ts'
import { clientOf, endpoints } from './support/clients.ts'
import { openDoor } from './support/doors.ts'
import { failureOf } from './support/failures.ts'
import { serve } from './support/serve.ts'
import { serveHttps, trustAuthority } from './support/serve-https.ts'

const shown = { key: new Secret(clientCertificate.key), certificate: clientCertificate.cert }
const credential = {
  kind: 'key',
  privateKey: shown.key,
  algorithm: 'ES256',
  keyId: null,
  certificate: shown.certificate,
} as const

const toLoopback = (_name: string, callback: (error: null, found: LookupAddress[]) => void) =>
  callback(null, [{ address: '127.0.0.1', family: 4 }])

/** A provider that answers with whom it sees, and counts connections. */
async function startProvider() {
  trustAuthority()
  const connections = new Set<unknown>()
  const { port } = await serveHttps(
    (request, response) => {
      connections.add(request.socket)
      const certificate = request.socket instanceof TLSSocket ? request.socket.getPeerX509Certificate() : undefined
      response.end(certificate?.subject ?? 'nobody')
    },
    { requestCert: true, rejectUnauthorized: false, ca: authority },
  )
  return { url: `https://idp.example:${port}/`, connections }
}

describe('a client certificate', () => {
  test('is shown over a connection of its own, which nobody else gets', async () => {
    const { url, connections } = await startProvider()
    const door = openDoor({ lookup: toLoopback })
    const ask = async (request: object = {}) => (await door(url, request)).text()
    expect(await ask()).toBe('nobody')
    expect(await ask({ clientCertificate: shown })).toBe('CN=mtls-client')
    expect(await ask()).toBe('nobody')
    expect(await ask({ clientCertificate: shown })).toBe('CN=mtls-client')
    expect(await ask()).toBe('nobody')
    // One for those without, which is kept alive, and one for each of the two with.
    expect(connections.size).toBe(3)
  })

  test('is shown only by clients that authenticate by it', () => {
    const of = (tokenEndpointAuthMethod: 'private_key_jwt' | 'tls_client_auth' | 'self_signed_tls_client_auth') =>
      certificateOf(clientOf({ tokenEndpointAuthMethod, credential }))
    expect(of('private_key_jwt')).toBeUndefined()
    expect(of('tls_client_auth')).toEqual(shown)
    expect(of('self_signed_tls_client_auth')).toEqual(shown)
    expect(certificateOf(clientOf())).toBeUndefined()
  })

  test('is shown to the endpoint that the provider names for such clients, and nowhere else', async () => {
    const { url } = await startProvider()
    const { origin, requests } = await serve((_, response) => response.end())
    const revoke = createRevoke(openDoor({ lookup: toLoopback }))
    const token = new Secret('token')
    const aliased = {
      ...endpoints,
      revocation_endpoint: `${origin}/revoke`,
      mtls_endpoint_aliases: { revocation_endpoint: url },
    }
    const withKey = clientOf({ tokenEndpointAuthMethod: 'tls_client_auth', credential, endpoints: aliased })
    await revoke(withKey, token, 'access_token')
    expect(requests).toEqual([])
    await revoke(clientOf({ endpoints: aliased }), token, 'access_token')
    expect(requests).toEqual(['POST /revoke'])
  })

  test('security 21: is not sent over plain http, not even on this machine', async () => {
    const { origin, requests } = await serve((_, response) => response.end())
    const client = clientOf({
      tokenEndpointAuthMethod: 'tls_client_auth',
      credential,
      endpoints: { ...endpoints, revocation_endpoint: `${origin}/revoke` },
    })
    const failure = await failureOf(createRevoke(openDoor())(client, new Secret('t'), 'access_token'))
    expect(failure).toMatchObject({ kind: 'address', message: expect.stringContaining('must be https') })
    expect((await failureOf(openDoor()(origin, { clientCertificate: shown }))).kind).toBe('address')
    expect(requests).toEqual([])
  })

  test('security 21: is not shown to a server that cannot be verified', async () => {
    const seen: unknown[] = []
    const { port } = await serveHttps((request, response) => {
      seen.push(request.url)
      response.end()
    })
    const door = openDoor({ lookup: toLoopback })
    const failure = await failureOf(door(`https://idp.example:${port}/`, { clientCertificate: shown }))
    expect(failure.message).toContain('the certificate is not valid')
    expect(seen).toEqual([])
  })
})
