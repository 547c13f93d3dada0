import { type createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { browse } from '@authconn/sandbox'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { authority, clientCertificate, serverCertificate } from '../support/certificates.ts'
import { expectProblem, useVault } from '../support/vault.ts'

// With the certified provider, which requires pushed authorization requests and serves clients with certificates over TLS.

const pem = (key: ReturnType<typeof generateKeyPairSync>['privateKey']) =>
  key.export({ type: 'pkcs8', format: 'pem' }).toString()
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const otherRsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ed = generateKeyPairSync('ed25519')
const jwkOf = (key: ReturnType<typeof createPublicKey>, more: object) =>
  ({ ...key.export({ format: 'jwk' }), use: 'sig', ...more }) as { kty: string }
const certificate = new X509Certificate(clientCertificate.cert)

const keyOf = {
  jwt: { private_key: pem(rsa.privateKey), key_id: 'key-1' },
  ec: { private_key: pem(ec.privateKey) },
  ed: { private_key: pem(ed.privateKey) },
  tls: { private_key: clientCertificate.key, certificate: clientCertificate.cert },
}

const v = useVault({
  sandbox: {
    requirePushedAuthorizationRequests: true,
    tls: { ...serverCertificate, ca: authority },
    clients: [
      { client_id: 'with-secret', client_secret: 'a-secret-0123456789-0123456789-0123' },
      {
        client_id: 'jwt',
        client_secret: 'unused',
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [jwkOf(rsa.publicKey, { kid: 'key-1' }), jwkOf(ec.publicKey, {}), jwkOf(ed.publicKey, {})] },
      },
      {
        client_id: 'tls',
        client_secret: 'unused',
        token_endpoint_auth_method: 'tls_client_auth',
        tls_client_auth_subject_dn: 'CN=mtls-client',
      },
      {
        client_id: 'self-signed',
        client_secret: 'unused',
        token_endpoint_auth_method: 'self_signed_tls_client_auth',
        jwks: { keys: [jwkOf(certificate.publicKey, { x5c: [certificate.raw.toString('base64')] })] },
      },
    ],
  },
})

const trusted = getCACertificates('default')
beforeAll(() => setDefaultCACertificates([...trusted, authority]))
afterAll(() => setDefaultCACertificates(trusted))
afterEach(() => v.sandbox.faults.clear())

const withKey = (client_id: string, client_key: object, given: object = {}) =>
  v.createConnection({ client_id, client_secret: undefined, client_key, ...given })

/** As if its token were about to end, so that the next fetch refreshes it. */
async function refetch(name: string) {
  const client = new pg.Client({ connectionString: v.databaseUrl })
  await client.connect()
  await client.query(
    `update grants set expires_at = now() - interval '1 second', retry_at = null
     where connection_id in (select id from connections where name = $1)`,
    [name],
  )
  await client.end()
  return v.call('getToken', { params: { name } })
}

describe.each([
  ['private_key_jwt with RSA', 'jwt', keyOf.jwt, {}, { algorithm: 'RS256', key_id: 'key-1' }],
  ['private_key_jwt with RSA-PSS', 'jwt', { ...keyOf.jwt, algorithm: 'PS256' }, {}, { algorithm: 'PS256' }],
  ['private_key_jwt with an elliptic curve', 'jwt', keyOf.ec, {}, { algorithm: 'ES256', key_id: null }],
  ['private_key_jwt with Ed25519', 'jwt', keyOf.ed, {}, { algorithm: 'EdDSA', key_id: null }],
  [
    'tls_client_auth',
    'tls',
    keyOf.tls,
    { token_endpoint_auth_method: 'tls_client_auth' },
    { algorithm: 'ES256', certificate_expires_at: certificate.validToDate.toISOString() },
  ],
  [
    'self_signed_tls_client_auth',
    'self-signed',
    keyOf.tls,
    { token_endpoint_auth_method: 'self_signed_tls_client_auth' },
    { algorithm: 'ES256' },
  ],
])('a client that authenticates by %s', (what, clientId, key, given, facts) => {
  test('pushes its request, exchanges the code, refreshes and revokes', async () => {
    const name = await withKey(clientId, key, given)
    const { body: connection } = await v.call('getConnection', { params: { name } })
    expect(connection).toMatchObject({
      token_endpoint_auth_method: what.split(' ')[0],
      client_key: { ...facts, thumbprint: expect.stringMatching(/^[\w-]{43}$/) },
    })
    const answer = await v.authorize(name)
    expect(answer.status, JSON.stringify(answer.body)).toBe(200)
    const [first, second] = [await v.call('getToken', { params: { name } }), await refetch(name)]
    expect(second.status, JSON.stringify(second.body)).toBe(200)
    expect(second.body.access_token).not.toBe(first.body.access_token)
    const revoked = await v.call('revokeGrant', { params: { name }, body: {} })
    expect(revoked.body.upstream, JSON.stringify(revoked.body)).toBe('revoked')
  })

  test('gets tokens of its own by client credentials, and others, and revokes them', async () => {
    const name = await withKey(clientId, key, { ...given, grant_type: 'client_credentials', scopes: ['api:read'] })
    const [first, second] = [await v.call('getToken', { params: { name } }), await refetch(name)]
    expect(second.status, JSON.stringify([first.body, second.body])).toBe(200)
    expect(second.body.access_token).not.toBe(first.body.access_token)
    const revoked = await v.call('revokeGrant', { params: { name }, body: {} })
    expect(revoked.body.upstream, JSON.stringify(revoked.body)).toBe('revoked')
  })
})

describe('security 7: the private key', () => {
  test('is in no answer, sealed in the database, and not taken for one in an error', async () => {
    const name = await withKey('jwt', keyOf.jwt)
    const lines = keyOf.jwt.private_key.split('\n').filter((line) => line.length > 40)
    const client = new pg.Client({ connectionString: v.databaseUrl })
    await client.connect()
    const { rows } = await client.query('select * from connections')
    await client.end()
    const shown = [
      await v.call('getConnection', { params: { name } }),
      await v.call('listConnections'),
      await v.call('createConnection', {
        body: { name, provider_url: v.sandbox.issuer, client_id: 'jwt', client_key: keyOf.jwt },
      }),
      rows.map((row) =>
        Object.values(row).map((value) => (Buffer.isBuffer(value) ? value.toString('latin1') : value)),
      ),
    ].map((value) => JSON.stringify(value))
    for (const line of lines) for (const text of shown) expect(text).not.toContain(line)
  })
})

describe('security 15: with a pushed request', () => {
  test('the browser sees the client id and a reference, and nothing of the request', async () => {
    const name = await withKey('jwt', keyOf.jwt)
    const pushed = v.sandbox.stats.pushedAuthorizations
    const body = { scopes: ['openid'], redirect_uri: 'http://127.0.0.1:8080/callback' }
    const started = await v.call('startAuthorization', { params: { name }, body })
    const authorizationUrl = new URL(started.body.authorization_url)
    const { redirectedUrl } = await browse(authorizationUrl.href)
    // Whoever waits for the callback knows it by the state, which is told apart from the URL.
    expect(new URL(redirectedUrl).searchParams.get('state')).toBe(started.body.state)
    expect([...authorizationUrl.searchParams.keys()].sort()).toEqual(['client_id', 'request_uri'])
    expect(v.sandbox.stats.pushedAuthorizations).toBe(pushed + 1)
  })

  test('the endpoint is kept, and a client with a secret pushes too', async () => {
    const name = await v.createConnection()
    const { body } = await v.call('getConnection', { params: { name } })
    expect(body.endpoints.pushed_authorization_request_endpoint).toBe(`${v.sandbox.issuer}/par`)
    expect((await v.authorize(name)).status).toBe(200)
  })

  test('a reference works once', async () => {
    const { authorizationUrl } = await v.consent(await v.createConnection())
    await expect(browse(authorizationUrl.href)).rejects.toThrow()
  })

  const start = (name: string) =>
    v.call('startAuthorization', {
      params: { name },
      body: { scopes: ['openid'], redirect_uri: 'http://127.0.0.1:8080/elsewhere' },
    })

  test('a redirect URI that is not registered is refused with the reason of the provider', async () => {
    const answer = await start(await v.createConnection())
    expectProblem(answer, 422, 'authorization_request_rejected')
    expect(answer.body.detail).toContain('redirect_uri')
  })

  test('a wrong client secret, and a wrong key, are refused', async () => {
    expectProblem(await start(await v.createConnection({ client_secret: 'wrong' })), 422, 'client_rejected')
    const wrong = { private_key: pem(otherRsa.privateKey), key_id: 'key-1' }
    expectProblem(await start(await withKey('jwt', wrong)), 422, 'client_rejected')
  })

  test.each([
    ['fails', { kind: 'status', status: 500 }, 503, 'provider_unavailable'],
    ['hangs', { kind: 'hang' }, 503, 'provider_unavailable'],
    ['answers with a page', { kind: 'html' }, 502, 'provider_answer_invalid'],
    ['redirects', { kind: 'redirect' }, 502, 'provider_answer_invalid'],
    ['never ends', { kind: 'huge' }, 502, 'provider_answer_invalid'],
    [
      'names no request',
      { kind: 'status', status: 201, body: '{"expires_in":60}', contentType: 'application/json' },
      502,
      'provider_answer_invalid',
    ],
  ] as const)('an endpoint that %s is told as what it is', async (_what, fault, status, code) => {
    const name = await v.createConnection()
    v.sandbox.faults.set('pushed_authorization', fault)
    const body = { scopes: ['openid'], redirect_uri: 'http://127.0.0.1:8080/callback' }
    expectProblem(await v.call('startAuthorization', { params: { name }, body }), status, code)
  })
})

describe('a client that changes how it authenticates', () => {
  const update = (name: string, body: object) => v.call('updateConnection', { params: { name }, body })

  test('from a key to another: the former is used where the new one is refused', async () => {
    const name = await withKey('jwt', keyOf.jwt)
    await v.authorize(name)
    const { status, body } = await update(name, { client_key: { private_key: pem(otherRsa.privateKey) } })
    expect(status, JSON.stringify(body)).toBe(200)
    expect(body).toMatchObject({ token_endpoint_auth_method: 'private_key_jwt', client_key: { key_id: null } })
    expect(body.former_client_secret_until).not.toBeNull()
    expect((await refetch(name)).status).toBe(200)
    await update(name, { client_key: { private_key: pem(otherRsa.privateKey) }, overlap: 0 })
    expectProblem(await refetch(name), 422, 'client_rejected')
    // And back again, by which its grants are free.
    await update(name, { client_key: keyOf.jwt })
    expect((await v.call('getToken', { params: { name } })).status).toBe(200)
  })

  test('from a secret to a key: the secret goes on being used as it was until the provider knows the key', async () => {
    const name = await v.createConnection()
    await v.authorize(name)
    const { body } = await update(name, { client_key: keyOf.jwt })
    expect(body).toMatchObject({
      token_endpoint_auth_method: 'private_key_jwt',
      client_key: { algorithm: 'RS256' },
    })
    const answer = await refetch(name)
    expect(answer.status, JSON.stringify(answer.body)).toBe(200)
    // And back to a secret, by which the key is forgotten at once.
    const back = await update(name, { client_secret: v.sandbox.client.client_secret, overlap: 0 })
    expect(back.body).toMatchObject({ token_endpoint_auth_method: 'client_secret_basic', client_key: null })
    expect((await refetch(name)).status).toBe(200)
  })

  test('to a method that its credential cannot do is refused', async () => {
    const withSecret = await v.createConnection()
    const refused = await update(withSecret, { token_endpoint_auth_method: 'private_key_jwt' })
    expectProblem(refused, 400, 'invalid_request')
    expect(refused.body.detail).toContain('private_key_jwt needs a client_key')
    const jwt = await withKey('jwt', keyOf.jwt)
    expectProblem(await update(jwt, { token_endpoint_auth_method: 'client_secret_post' }), 400, 'invalid_request')
    const noCertificate = await update(jwt, { token_endpoint_auth_method: 'tls_client_auth' })
    expect(noCertificate.body.detail).toContain('tls_client_auth needs a client_key with a certificate')
  })
})

describe('400', () => {
  const create = (given: object) =>
    v.call('createConnection', {
      body: { name: 'refused', provider_url: v.sandbox.issuer, client_id: 'jwt', ...given } as never,
    })

  test.each([
    ['neither a secret nor a key', {}, 'must hold a client_secret or a client_key'],
    ['both', { client_secret: 's', client_key: keyOf.jwt }, 'together with client_secret'],
    [
      'a key that is to be a secret',
      { client_key: keyOf.jwt, token_endpoint_auth_method: 'client_secret_post' },
      'needs a client_secret',
    ],
    [
      'a secret that is to be a key',
      { client_secret: 's', token_endpoint_auth_method: 'tls_client_auth' },
      'needs a client_key',
    ],
    [
      'a certificate that is not there',
      { client_key: keyOf.jwt, token_endpoint_auth_method: 'tls_client_auth' },
      'with a certificate',
    ],
  ])('invalid_request for %s', async (_what, given, words) => {
    const answer = await create(given)
    expectProblem(answer, 400, 'invalid_request')
    expect(answer.body.detail).toContain(words)
  })

  const encrypted = rsa.privateKey
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'canary' })
    .toString()
  const publicKey = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const short = pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey)
  const odd = pem(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey)

  test.each([
    ['an encrypted key', { private_key: encrypted }, 'encrypted'],
    ['a public key', { private_key: publicKey }, 'not one in PEM'],
    ['no key', { private_key: 'canary' }, 'not one in PEM'],
    ['a short key', { private_key: short }, '2048'],
    ['a curve that nobody has', { private_key: odd }, 'P-256'],
    ['an algorithm of another kind of key', { ...keyOf.ec, algorithm: 'RS256' }, 'only by ES256'],
    [
      'the certificate of another key',
      { ...keyOf.jwt, certificate: clientCertificate.cert },
      'not that of the private key',
    ],
    ['no certificate', { ...keyOf.tls, certificate: 'canary' }, 'certificate is not one in PEM'],
    [
      'half a certificate',
      { ...keyOf.tls, certificate: clientCertificate.cert.replace(/\n.*\n/, '\n') },
      'damaged',
    ],
  ])('client_key_invalid for %s, which is not repeated', async (_what, client_key, words) => {
    const answer = await create({ client_key })
    expectProblem(answer, 400, 'client_key_invalid')
    expect(answer.body.detail).toContain(words)
    expect(JSON.stringify(answer.body)).not.toContain('canary')
  })
})
