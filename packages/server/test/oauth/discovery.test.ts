import type { RequestListener } from 'node:http'
import { describe, expect, test } from 'vitest'
import { createResolveProvider } from '../../src/adapters/oauth/resolve-provider.ts'
import type { ProviderInput } from '../../src/core/oauth-port.ts'
import { secretMethods } from './support/clients.ts'
import { openDoor } from './support/doors.ts'
import { errorOf } from './support/failures.ts'
import { serve, serveTcp } from './support/serve.ts'

/** Serves each path's answer; a function gets the server's origin. Other paths are 404. */
async function serveMetadata(paths: Record<string, (origin: string) => unknown>) {
  const listener: RequestListener = (request, response) => {
    const origin = `http://${request.headers.host}`
    const answer = paths[request.url ?? '']?.(origin)
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(answer === undefined ? '{}' : JSON.stringify(answer))
  }
  return serve(listener)
}

function metadata(issuer: string, changes: Record<string, unknown> = {}) {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    ...changes,
  }
}

const resolve = (input: Partial<ProviderInput> & { providerUrl: string }) =>
  createResolveProvider(openDoor())({ clientId: 'client-id', endpoints: {}, authMethods: secretMethods, ...input })

const oidc = '/.well-known/openid-configuration'
const rfc8414 = '/.well-known/oauth-authorization-server'

test('endpoints are kept as they were parsed, without what a database would refuse', async () => {
  const { origin } = await serveMetadata({
    [oidc]: (o) => metadata(o, { token_endpoint: ` ${o}/to\u0000ken\u0000`, jwks_uri: `${o}/schlüssel` }),
  })
  const { endpoints } = await resolve({ providerUrl: origin })
  expect(endpoints.token_endpoint).toBe(`${origin}/to%00ken`)
  expect(endpoints.jwks_uri).toBe(`${origin}/schl%C3%BCssel`)
})

describe('metadata is found', () => {
  test('at an issuer, by OpenID Connect Discovery', async () => {
    const { origin, requests } = await serveMetadata({
      [oidc]: (o) => metadata(o, { authorization_response_iss_parameter_supported: true }),
    })
    expect(await resolve({ providerUrl: origin })).toEqual({
      provider: null,
      providerUrl: origin,
      issuer: origin,
      endpoints: {
        authorization_endpoint: `${origin}/authorize`,
        token_endpoint: `${origin}/token`,
        jwks_uri: `${origin}/jwks`,
      },
      tokenEndpointAuthMethod: 'client_secret_basic',
      issParameterSupported: true,
      authorizationParameters: {},
    })
    expect(requests).toEqual([`GET ${oidc}`])
  })

  test('at an issuer with a path, between host and path, by RFC 8414', async () => {
    const { origin, requests } = await serveMetadata({
      [`${rfc8414}/tenant/one`]: (o) => metadata(`${o}/tenant/one`),
    })
    expect((await resolve({ providerUrl: `${origin}/tenant/one` })).issuer).toBe(`${origin}/tenant/one`)
    expect(requests).toEqual([`GET /tenant/one${oidc}`, `GET ${rfc8414}/tenant/one`])
  })

  test('at the issuer URL rather than the provider URL', async () => {
    const { origin, requests } = await serveMetadata({ [`/op${oidc}`]: (o) => metadata(`${o}/op`) })
    const input = { providerUrl: `${origin}/somewhere/else`, issuerUrl: `${origin}/op` }
    expect((await resolve(input)).issuer).toBe(`${origin}/op`)
    expect(requests).toEqual([`GET /op${oidc}`])
  })

  test('with an issuer that ends in a slash, when nobody said otherwise', async () => {
    const { origin } = await serveMetadata({ [oidc]: (o) => metadata(`${o}/`, { token_endpoint: `${o}/token` }) })
    expect((await resolve({ providerUrl: origin })).issuer).toBe(`${origin}/`)
    expect((await resolve({ providerUrl: origin, issuerUrl: `${origin}/` })).issuer).toBe(`${origin}/`)
  })

  test('above an authorization endpoint', async () => {
    const realm = '/realms/r'
    const endpoint = `${realm}/protocol/openid-connect/auth`
    const { origin, requests } = await serveMetadata({
      [realm + oidc]: (o) => metadata(o + realm, { authorization_endpoint: o + endpoint }),
    })
    const resolved = await resolve({ providerUrl: origin + endpoint })
    expect(resolved.issuer).toBe(origin + realm)
    expect(requests.length).toBeLessThanOrEqual(5)
  })

  test('at the root of an authorization endpoint, by either rule', async () => {
    for (const place of [oidc, rfc8414]) {
      const { origin, requests } = await serveMetadata({
        [place]: (o) => metadata(o, { authorization_endpoint: `${o}/a/b/c/d/e/f/authorize` }),
      })
      expect((await resolve({ providerUrl: `${origin}/a/b/c/d/e/f/authorize?x=1` })).issuer).toBe(origin)
      expect(requests.length).toBeLessThanOrEqual(7)
    }
  })

  test('when someone gives the address of the metadata itself', async () => {
    const { origin } = await serveMetadata({ [`/op${oidc}`]: (o) => metadata(`${o}/op`) })
    expect((await resolve({ providerUrl: `${origin}/op${oidc}` })).issuer).toBe(`${origin}/op`)
  })
})

describe('metadata is not found', () => {
  test('the error says what was tried and what came back, without the query', async () => {
    const { origin } = await serveMetadata({})
    const error = await errorOf(resolve({ providerUrl: `${origin}/x?secret=1` }))
    expect(error.code).toBe('discovery_failed')
    expect(error.message).toContain(`${origin}/x${oidc} answered 404`)
    expect(error.message).toContain(`${origin}${rfc8414}/x answered 404`)
    expect(error.message).not.toContain('secret')
  })

  test('what is above but describes another authorization endpoint is not taken', async () => {
    const { origin } = await serveMetadata({ [oidc]: metadata })
    const error = await errorOf(resolve({ providerUrl: `${origin}/other/authorize` }))
    expect(error.code).toBe('discovery_failed')
    expect(error.message).toContain('describes another provider')
  })

  test('a provider that does not answer is asked once', async () => {
    let connections = 0
    const { origin } = await serveTcp((socket) => {
      connections++
      socket.resetAndDestroy()
    })
    const error = await errorOf(resolve({ providerUrl: `${origin}/a/b/c` }))
    expect(error.code).toBe('discovery_failed')
    expect(error.message).toContain('the connection')
    expect(connections).toBe(1)
  })

  test('security 21: HTML, redirects and endless answers', async () => {
    const answers: RequestListener[] = [
      (_, response) => response.setHeader('content-type', 'text/html').end('<html>'),
      (_, response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
      (_, response) => response.end('x'.repeat(1_100_000)),
      (_, response) => response.end('[]'),
      (_, response) => response.end('{"issuer": 1}'),
    ]
    for (const answer of answers) {
      const { origin } = await serve(answer)
      expect((await errorOf(resolve({ providerUrl: origin }))).code).toBe('discovery_failed')
    }
  })

  test('a name that leads to a private address', async () => {
    const lookup = (
      _: string,
      callback: (error: null, addresses: { address: string; family: number }[]) => void,
    ) => callback(null, [{ address: '10.0.0.1', family: 4 }])
    const resolveProvider = createResolveProvider(openDoor({ lookup }))
    const error = await errorOf(
      resolveProvider({
        providerUrl: 'https://idp.example',
        endpoints: {},
        authMethods: secretMethods,
        clientId: 'c',
      }),
    )
    expect(error.code).toBe('provider_address_refused')
  })
})

describe('security 15: PKCE', () => {
  const withMethods = async (methods: unknown) => {
    const { origin } = await serveMetadata({
      [oidc]: (o) => metadata(o, { code_challenge_methods_supported: methods }),
    })
    return resolve({ providerUrl: origin })
  }

  test.each([[['S256']], [['plain', 'S256']], [undefined], [null]])('by %j is done with S256', async (methods) => {
    expect((await withMethods(methods)).issuer).toMatch(/^http:/)
  })

  test.each([
    [['plain'], 'plain'],
    [[], 'nothing readable'],
    ['S256', 'nothing readable'],
    [['s256'], 's256'],
    [[7], 'nothing'],
  ])('that offers %j only is refused', async (methods, words) => {
    const error = await errorOf(withMethods(methods))
    expect(error.code).toBe('pkce_unsupported')
    expect(error.message).toContain(`offers ${words}`)
  })

  test('is not looked up where the endpoints are given, by somebody who knows the provider', async () => {
    const endpoints = { authorization_endpoint: 'https://idp.example/a', token_endpoint: 'https://idp.example/t' }
    expect((await resolve({ providerUrl: 'https://idp.example', endpoints })).endpoints).toEqual(endpoints)
  })
})

describe('pushed authorization requests and clients with keys', () => {
  const pushed = 'pushed_authorization_request_endpoint'
  const withKey = { authMethods: ['private_key_jwt', 'tls_client_auth'], keyAlgorithm: 'ES256' } as const
  const found = async (changes: (o: string) => object, input: Partial<ProviderInput> = {}) => {
    const { origin } = await serveMetadata({ [oidc]: (o) => metadata(o, { ...changes(o) }) })
    return { origin, resolve: () => resolve({ providerUrl: origin, ...input }) }
  }

  test('the endpoint is kept where pushing is required, and where it is given, and not where there is a choice', async () => {
    const required = await found((o) => ({ [pushed]: `${o}/par`, require_pushed_authorization_requests: true }))
    expect((await required.resolve()).endpoints[pushed]).toBe(`${required.origin}/par`)
    const offered = await found((o) => ({ [pushed]: `${o}/par` }))
    expect((await offered.resolve()).endpoints[pushed]).toBeUndefined()
    const given = { endpoints: { [pushed]: 'https://idp.example/par' } }
    expect((await (await found(() => ({}), given)).resolve()).endpoints[pushed]).toBe('https://idp.example/par')
  })

  test('aliases for clients with certificates are kept, but not for an endpoint that is given', async () => {
    const aliases = (o: string) => ({
      mtls_endpoint_aliases: { token_endpoint: `${o}/mtls/token`, userinfo_endpoint: `${o}/mtls/userinfo` },
    })
    const all = await found(aliases)
    expect((await all.resolve()).endpoints.mtls_endpoint_aliases).toEqual({
      token_endpoint: `${all.origin}/mtls/token`,
    })
    const given = await found(aliases, { endpoints: { token_endpoint: 'https://idp.example/token' } })
    expect((await given.resolve()).endpoints.mtls_endpoint_aliases).toBeUndefined()
  })

  test('security 20: an alias at a private address is refused', async () => {
    const { resolve: go } = await found(() => ({ mtls_endpoint_aliases: { token_endpoint: 'https://10.0.0.1/' } }))
    expect((await errorOf(go())).code).toBe('provider_address_refused')
  })

  test.each([
    [undefined, 'private_key_jwt'],
    [['client_secret_basic', 'private_key_jwt'], 'private_key_jwt'],
    [['tls_client_auth'], 'tls_client_auth'],
  ])('a client with a key and a certificate goes, where %j are offered, by %s', async (offered, method) => {
    const { resolve: go } = await found(() => ({ token_endpoint_auth_methods_supported: offered }), withKey)
    expect((await go()).tokenEndpointAuthMethod).toBe(method)
  })

  test.each([
    [
      { token_endpoint_auth_methods_supported: ['client_secret_basic'] },
      'offers client_secret_basic, and this client can do private_key_jwt',
    ],
    [
      { token_endpoint_auth_signing_alg_values_supported: ['RS256', 'PS256'] },
      'signed by RS256, PS256, and the key of this client signs by ES256',
    ],
  ])('a client with a key cannot go by %j', async (changes, words) => {
    const { resolve: go } = await found(() => changes, withKey)
    const error = await errorOf(go())
    expect(error.code).toBe('auth_method_unsupported')
    expect(error.message).toContain(words)
  })
})

describe('security 21: metadata', () => {
  test.each([
    ['with another media type', 'text/plain', (o: string) => JSON.stringify(metadata(o)), 'not JSON (text/plain)'],
    [
      'that repeats a field',
      'application/json',
      (o: string) => JSON.stringify(metadata(o)).replace('{', '{"issuer":"https://evil.example",'),
      'repeats a field',
    ],
    [
      'nested without end',
      'application/json',
      () => `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      'nested too deep',
    ],
    ['that is not UTF-8', 'application/json', () => Buffer.from('{"issuer":"\xff"}', 'latin1'), 'not UTF-8'],
  ])('%s is not taken', async (_what, type, body, words) => {
    const { origin } = await serve((request, response) => {
      response.writeHead(200, { 'content-type': type }).end(body(`http://${request.headers.host}`))
    })
    const error = await errorOf(resolve({ providerUrl: origin }))
    expect(error.code).toBe('discovery_failed')
    expect(error.message).toContain(words)
  })

  test('of any JSON media type is taken', async () => {
    const { origin } = await serve((request, response) => {
      response.writeHead(200, { 'content-type': 'application/oauth+json; charset=utf-8' })
      response.end(JSON.stringify(metadata(`http://${request.headers.host}`)))
    })
    expect((await resolve({ providerUrl: origin })).issuer).toBe(origin)
  })
})

describe('security 17: metadata of another issuer is refused', () => {
  test('at the provider URL, and the error says how to go on', async () => {
    const { origin } = await serveMetadata({ [oidc]: () => metadata('https://other.example') })
    const error = await errorOf(resolve({ providerUrl: origin }))
    expect(error.code).toBe('issuer_mismatch')
    expect(error.message).toContain(`names the issuer https://other.example instead of ${origin}`)
  })

  test.each(['/', '/op/', '/OP'])('compared with the issuer URL exactly (%s)', async (difference) => {
    const { origin } = await serveMetadata({
      [oidc]: (o) => metadata(o),
      [`/op${oidc}`]: (o) => metadata(`${o}/op`),
      [`/OP${oidc}`]: (o) => metadata(`${o}/op`),
    })
    const error = await errorOf(resolve({ providerUrl: origin, issuerUrl: origin + difference }))
    expect(error.code).toBe('issuer_mismatch')
  })

  test('an issuer that is no URL does not break the comparison or the message', async () => {
    const { origin } = await serveMetadata({ [oidc]: () => metadata('\u0000\u202e<script>') })
    const error = await errorOf(resolve({ providerUrl: origin }))
    expect(error.code).toBe('issuer_mismatch')
    expect(error.message).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  })
})

describe('what metadata says is checked', () => {
  test.each([
    [{ token_endpoint: undefined }, 'discovery_failed', 'names no token_endpoint'],
    [{ authorization_endpoint: null }, 'discovery_failed', 'names no authorization_endpoint'],
    [{ token_endpoint: 'http://idp.example/t' }, 'discovery_failed', 'token_endpoint must be https'],
    [{ token_endpoint: 'https://idp.example/t#x' }, 'discovery_failed', 'fragment'],
    [{ token_endpoint: 7 }, 'discovery_failed', 'token_endpoint is not a URL'],
    [{ revocation_endpoint: 'https://169.254.169.254/r' }, 'provider_address_refused', 'revocation_endpoint'],
    [{ jwks_uri: 'file:///etc/passwd' }, 'discovery_failed', 'jwks_uri must be https'],
    [
      { require_pushed_authorization_requests: true },
      'discovery_failed',
      'names no pushed_authorization_request_endpoint',
    ],
    [
      { token_endpoint_auth_methods_supported: ['private_key_jwt', 'none'] },
      'auth_method_unsupported',
      'private_key_jwt, none',
    ],
    [{ token_endpoint_auth_methods_supported: [7] }, 'auth_method_unsupported', 'nothing readable'],
  ])('%o', async (changes, code, words) => {
    const { origin } = await serveMetadata({ [oidc]: (o) => metadata(o, changes) })
    const error = await errorOf(resolve({ providerUrl: origin }))
    expect(error.code).toBe(code)
    expect(error.message).toContain(words)
  })

  test.each([
    [undefined, 'client_secret_basic'],
    [['client_secret_post', 'client_secret_basic'], 'client_secret_basic'],
    [['private_key_jwt', 'client_secret_post'], 'client_secret_post'],
    ['client_secret_post', 'client_secret_basic'],
  ])('authentication methods %o give %s', async (offered, method) => {
    const { origin } = await serveMetadata({
      [oidc]: (o) => metadata(o, { token_endpoint_auth_methods_supported: offered }),
    })
    expect((await resolve({ providerUrl: origin })).tokenEndpointAuthMethod).toBe(method)
  })

  test('an endpoint and a method that are given go before it, and it need not be right then', async () => {
    const { origin } = await serveMetadata({
      [oidc]: (o) =>
        metadata(o, { token_endpoint: 'http://idp.example/', token_endpoint_auth_methods_supported: ['none'] }),
    })
    const resolved = await resolve({
      providerUrl: origin,
      tokenEndpointAuthMethod: 'client_secret_post',
      endpoints: { token_endpoint: 'https://idp.example/t' },
    })
    expect(resolved.endpoints.token_endpoint).toBe('https://idp.example/t')
    expect(resolved.tokenEndpointAuthMethod).toBe('client_secret_post')
  })
})
