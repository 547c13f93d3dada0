import { generateKeyPairSync } from 'node:crypto'
import { contract, type Endpoint, type OperationName, routes } from '@authconn/shared'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { urlOf } from '../support/url-of.ts'
import { expectDeclared, useVault } from '../support/vault.ts'

const v = useVault()
const operations = Object.keys(routes) as OperationName[]
const endpointOf = (name: OperationName): Endpoint => contract[name]

type Schema = Record<string, unknown>
type Fields = Record<string, unknown>

const connection = 'fuzzed'
const ownConnections: Partial<Record<OperationName, string>> = {
  deleteConnection: 'deleted',
  revokeGrant: 'revoked',
  // A client that its provider refuses is no failure of the vault, and would be one of the other operations.
  updateConnection: 'updated',
}
/** Needs nobody to consent. */
const service = 'of-itself'
let authorization: string
/** What no answer may hold, whatever is asked. */
let secrets: string[]
/** Of all operations together. */
const requests = 20_000

beforeAll(async () => {
  for (const name of [connection, ...Object.values(ownConnections)]) {
    await v.createConnection({ name })
    await v.authorize(name)
  }
  await v.createConnection({ name: service, grant_type: 'client_credentials' })
  const body = { scopes: ['openid'], redirect_uri: 'http://127.0.0.1:8080/callback' }
  const { body: started } = await v.call('startAuthorization', { params: { name: connection }, body })
  authorization = started.id
  const reader = await v.createCaller({ permissions: ['token:read', 'refresh_token:read'] })
  const token = await v.call('getToken', { params: { name: connection } }, reader)
  secrets = [v.adminKey, reader, v.sandbox.client.client_secret, token.body.refresh_token]
})

/** What somebody may send without meaning well, or without knowing better. */
const nastyText = fc.oneof(
  fc.constantFrom('', '\u0000', 'a\u0000', '\ud800', 'a\udfff', '\ufeffa', ' a ', '\n', '*', '%', '_', '\\', "'"),
  fc.constantFrom(
    '..',
    '.',
    '__proto__',
    'constructor',
    '{}',
    'null',
    'NaN',
    '-1',
    '1e2',
    '1e999',
    '０',
    'ﷺ',
    '🔑',
  ),
  fc.constantFrom('x'.repeat(70_000), '🔑'.repeat(255), 'é'.repeat(1024)),
  fc.constantFrom(
    '9999-12-31T23:59:59-23:59',
    '0000-01-01T00:00:00Z',
    '2029-12-31T23:59:60Z',
    '2029-02-30t00:00:00z',
  ),
  fc.constantFrom(
    'https://[',
    'https://a b',
    'https://\ud800',
    'HTTPS://EXAMPLE.COM',
    'https://例え.jp/é',
    'data:,x',
  ),
  fc.constantFrom('urn:uuid:00000000-0000-0000-0000-000000000000', 'https://provider.example/\u0000'),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
)
const nasty = fc.oneof(
  { weight: 3, arbitrary: nastyText },
  { weight: 1, arbitrary: fc.jsonValue() },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(null, 0, -1, 2 ** 53, 1.5, true, [], {}, [[]], [null]) },
  { weight: 1, arbitrary: fc.array(nastyText, { maxLength: 3 }) },
)

/** What a database might see as an address that the vault does not, or the other way round. */
const addressText = fc.oneof(
  fc.tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(140)).map(([address, bits]) => `${address}/${bits}`),
  fc.oneof(fc.ipV4(), fc.ipV6(), nastyText),
  fc.constantFrom(
    '10.0.0.0/8',
    '::ffff:10.0.0.0/104',
    '::ffff:0:0/90',
    '0.0.0.0/0',
    '::/0',
    '1.2.3',
    '10/8',
    ':::',
  ),
)

/** Values of the shape that a schema wants, most of which pass. */
function fieldOf(name: string, schema: Schema): fc.Arbitrary<unknown> {
  if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum)
  if (schema.type === 'object' && schema.properties) return part(schema as unknown as Endpoint['body'])
  if (schema.type === 'integer') return fc.integer({ min: 0, max: 600 })
  if (name === 'addresses') return fc.oneof(fc.constant(null), fc.array(addressText, { maxLength: 3 }))
  if (Array.isArray(schema.type)) return fc.oneof(fc.constant(null), fc.array(nastyText, { maxLength: 2 }))
  if (isFields(schema.properties)) {
    const properties = Object.entries(schema.properties)
    return fc.record(Object.fromEntries(properties.map(([each, of]) => [each, fieldOf(each, of as Schema)])))
  }
  if (schema.type === 'boolean') return fc.boolean()
  if (schema.type === 'array') {
    return fc.uniqueArray(fieldOf(name, schema.items as Schema), { minLength: 1, maxLength: 2 })
  }
  const usual =
    name === 'name' ? fc.stringMatching(/^[a-z0-9]{12}$/) : fc.constantFrom(...(examples[name] ?? ['x']))
  return fc.oneof({ weight: 4, arbitrary: usual }, { weight: 1, arbitrary: nastyText })
}

const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString()

const examples: Readonly<Record<string, readonly string[]>> = {
  issuer: ['https://issuer.example', 'https://issuer.example/realm'],
  audience: ['https://vault.example'],
  claim: ['sub', 'repository_id', '/kubernetes.io/namespace'],
  values: ['a', '1234*', 'system:serviceaccount:a:b'],
  kty: ['RSA', 'EC', 'OKP'],
  subject_token: [unsigned('https://nobody.example'), unsigned('https://issuer.example').slice(0, 60)],
  connections: ['*', 'a-*'],
  scopes: ['openid', 'a'],
  after: ['a', '0'],
  subject: ['alice', 'a_%\\'],
  expires_at: ['2099-01-01T00:00:00Z'],
  redirect_uri: ['http://127.0.0.1:8080/callback'],
  redirected_url: ['http://127.0.0.1:8080/callback?code=a&state=b'],
  client_id: ['client'],
  client_secret: ['secret', 'zażółć'],
  provider_url: ['https://provider.example', 'https://accounts.google.com', 'https://login.microsoftonline.com/x'],
  issuer_url: ['https://provider.example', 'https://accounts.google.com'],
  userinfo_endpoint: ['https://provider.example/u', 'http://127.0.0.1:1/'],
  jwks_uri: ['https://provider.example/jwks', 'https://10.0.0.1/'],
  revocation_endpoint: ['https://provider.example/r'],
  introspection_endpoint: ['https://provider.example/i'],
  device_authorization_endpoint: ['https://provider.example/d'],
  resource: ['https://api.example', 'urn:x'],
  private_key: [pem],
}

/** Of an issuer that no trust is about: nobody is called for it. */
function unsigned(iss: string): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${encode({ alg: 'RS256', kid: 'a' })}.${encode({ iss, sub: 'a', aud: 'https://vault.example' })}.AAAA`
}

/** What keeps the requests of createConnection from going out: nothing is discovered where both are given. */
const given = {
  authorization_endpoint: 'https://provider.example/a',
  token_endpoint: 'https://provider.example/t',
}

/** The fields of one part of a request: well-formed ones with a few that are missing, unknown or of another type. */
function part(schema: Endpoint['body']): fc.Arbitrary<Fields> {
  const properties = Object.entries(schema?.properties ?? {})
  const requiredKeys = schema?.required ?? []
  const wellFormed = fc.record(
    Object.fromEntries(properties.map(([name, property]) => [name, fieldOf(name, property as Schema)])),
    { requiredKeys: [...requiredKeys] },
  )
  const names = fc.constantFrom(...properties.map(([name]) => name), 'unknown', 'a\u0000', '__proto__')
  const change = fc.tuple(names, fc.oneof(nasty, fc.constant(undefined)))
  const changes = fc.oneof(fc.constant([]), fc.array(change, { minLength: 1, maxLength: 2 }))
  return fc.tuple(wellFormed, changes).map(([fields, made]) => {
    const changed: Fields = { ...fields }
    for (const [name, value] of made) {
      Object.defineProperty(changed, name, { value, enumerable: true, configurable: true, writable: true })
    }
    return changed
  })
}

/** Paths that lead somewhere, most of the time, and never to what the other operations need. */
function pathOf(name: OperationName): fc.Arbitrary<Fields> {
  const id = name === 'revokeCaller' || name === 'rotateCaller' ? crypto.randomUUID() : authorization
  return fc.record({
    name: fc.oneof(
      fc.constant(name === 'createGrant' ? service : (ownConnections[name] ?? connection)),
      nastyText,
    ),
    id: fc.oneof(fc.constantFrom(id, crypto.randomUUID()), nastyText),
  })
}

describe('security 14: whatever is made from the contract', () => {
  test.each(operations)('%s never answers with a failure of its own', { timeout: 120_000 }, async (name) => {
    const [method] = routes[name]
    const { query, body } = endpointOf(name)
    const request = fc.record({
      path: pathOf(name),
      query: part(query),
      body: fc.oneof({ weight: 6, arbitrary: part(body) }, { weight: 1, arbitrary: nasty }),
    })
    const seen = new Set<number>()
    await fc.assert(
      fc.asyncProperty(request, async (parts) => {
        const url = urlOf(name, inUrl(parts.path), inUrl(parts.query))
        const sent = name === 'createConnection' && isFields(parts.body) ? { ...parts.body, ...given } : parts.body
        const key = await v.keyFor(name)
        const answer = await v.send(method, url, { key, ...(body ? { body: JSON.stringify(sent) } : {}) })
        seen.add(answer.status)
        // Who gives a refresh no time (`max_wait`) is told that it goes on, which is no failure.
        const isAskedFor = name === 'getToken' && answer.body.code === 'refresh_in_progress'
        if (!isAskedFor) expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(500)
        // A path that is empty or has dots is another endpoint's, or none's.
        if (answer.status >= 400 && answer.body.code !== 'not_found') expectDeclared(name, answer)
        for (const secret of secrets) expect(JSON.stringify(answer.body)).not.toContain(secret)
      }),
      // A refused token takes a while on purpose. What it may hold is tried in security/26-identities.
      { numRuns: name === 'exchangeToken' ? 40 : Math.ceil(requests / operations.length) },
    )
    expect(seen.size).toBeGreaterThan(0)
  })
})

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Half characters have no percent-encoding, so no client can send them in a URL. */
function inUrl(fields: Fields): Fields {
  const present = Object.entries(fields).filter(([, value]) => value !== undefined)
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))
  return Object.fromEntries(present.map(([name, value]) => [name.toWellFormed(), text(value).toWellFormed()]))
}
