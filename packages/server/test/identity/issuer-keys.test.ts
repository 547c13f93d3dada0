import type { ServerResponse } from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createIssuerKeys } from '../../src/adapters/identity/issuer-keys.ts'
import { createSafeFetch } from '../../src/adapters/oauth/safe-fetch.ts'
import { KeysUnavailable } from '../../src/core/trust-port.ts'
import { serve } from '../oauth/support/serve.ts'
import { createKey } from '../support/oidc-issuer.ts'

const jwk = { ...createKey('a').publicKey.export({ format: 'jwk' }), kid: 'a' }

type Answer = (response: ServerResponse, origin: string) => void
const json =
  (body: unknown, status = 200, type = 'application/json'): Answer =>
  (response) =>
    void response.writeHead(status, { 'content-type': type }).end(JSON.stringify(body))
const redirect =
  (location: string): Answer =>
  (response) =>
    void response.writeHead(302, { location }).end()

/** An issuer that answers so, and what the vault makes of it. */
async function issuerWith(given: { metadata?: Answer; keys?: Answer; allowLoopback?: boolean }) {
  const served = await serve((request, response) => {
    const { origin } = served
    if (request.url === '/keys') return (given.keys ?? json({ keys: [jwk] }))(response, origin)
    const metadata = given.metadata ?? json({ issuer: origin, jwks_uri: `${origin}/keys` })
    metadata(response, origin)
  })
  const safeFetch = createSafeFetch({ allowLoopback: given.allowLoopback ?? true, timeoutMs: 500 })
  onTestFinished(safeFetch.close)
  let passed = 0
  const keys = createIssuerKeys({ safeFetch, clock: () => passed })
  const source = { issuer: served.origin, jwksUri: null, jwks: null }
  return {
    ...served,
    keys,
    source,
    wait: (ms: number) => {
      passed += ms
    },
    reason: () =>
      keys.get(source).then(
        () => 'none',
        (error) => {
          expect(error).toBeInstanceOf(KeysUnavailable)
          return (error as Error).message
        },
      ),
  }
}

describe('security 26: the keys of an issuer', () => {
  test('are those where its metadata says', async () => {
    const { keys, source, requests } = await issuerWith({})
    expect((await keys.get(source)).jwks()).toEqual({ keys: [jwk] })
    expect(requests).toEqual(['GET /.well-known/openid-configuration', 'GET /keys'])
  })

  test('are taken from where the trust says, without metadata', async () => {
    const { keys, source, origin, requests } = await issuerWith({
      keys: json({ keys: [jwk] }, 200, 'application/jwk-set+json'),
    })
    await keys.get({ ...source, jwksUri: `${origin}/keys` })
    expect(requests).toEqual(['GET /keys'])
  })

  test.each<[string, Parameters<typeof issuerWith>[0], RegExp]>([
    [
      'metadata of another issuer',
      { metadata: json({ issuer: 'https://else.example', jwks_uri: 'https://else.example/k' }) },
      /another issuer/,
    ],
    [
      'metadata with a slash more',
      { metadata: (r, o) => json({ issuer: `${o}/`, jwks_uri: `${o}/keys` })(r, o) },
      /another issuer/,
    ],
    ['metadata without keys', { metadata: (r, o) => json({ issuer: o })(r, o) }, /no jwks_uri/],
    [
      'metadata that leads to a private address',
      { metadata: (r, o) => json({ issuer: o, jwks_uri: 'https://169.254.169.254/k' })(r, o) },
      /does not call/,
    ],
    [
      'metadata that leads to plain HTTP',
      { metadata: (r, o) => json({ issuer: o, jwks_uri: 'http://issuer.example/k' })(r, o) },
      /must be https/,
    ],
    ['a redirect of the metadata', { metadata: (r, o) => redirect(`${o}/keys`)(r, o) }, /redirect/],
    ['a redirect of the keys', { keys: redirect('https://else.example/keys') }, /redirect/],
    ['keys that are no JSON', { keys: json('<html>', 200, 'text/html') }, /not JSON/],
    ['keys that are no list', { keys: json({ keys: 'a' }) }, /no list of keys/],
    [
      'more keys than anybody has',
      { keys: json({ keys: Array.from({ length: 101 }, () => jwk) }) },
      /more than 100/,
    ],
    [
      'more bytes than anybody sends',
      { keys: json({ keys: [jwk], padding: 'x'.repeat(300_000) }) },
      /larger than 262144 bytes/,
    ],
    ['an error', { keys: json({}, 500) }, /status 500/],
    ['no answer', { keys: () => undefined }, /no complete answer within/],
    ['a loopback address, where that is not allowed', { allowLoopback: false }, /on this machine/],
  ])('are not taken from %s', async (_what, given, reason) => {
    expect(await (await issuerWith(given)).reason()).toMatch(reason)
  })

  test('are no more than their public parts, whatever an issuer publishes', async () => {
    const { keys, source } = await issuerWith({
      keys: json({ keys: [{ ...jwk, d: 'AQAB', x5u: 'https://else.example' }, null, []] }),
    })
    expect((await keys.get(source)).jwks()).toEqual({ keys: [jwk] })
  })

  test('are fetched anew after ten minutes, and before that only for a key that is not among them', async () => {
    const { keys, source, requests, wait } = await issuerWith({})
    const first = await keys.get(source)
    wait(599_999)
    expect(await keys.get(source)).toBe(first)
    const [one, other] = await Promise.all([keys.getNewer(source, first), keys.getNewer(source, first)])
    expect(one).toBe(other)
    expect(await keys.getNewer(source, first)).toBe(one)
    expect(await keys.getNewer(source, one ?? first)).toBeUndefined()
    expect(requests.filter((each) => each.endsWith('/keys'))).toHaveLength(2)
    wait(600_001)
    expect(await keys.get(source)).not.toBe(one)
  })
})
