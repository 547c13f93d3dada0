import { generateKeyPairSync, sign } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectDevice, endpoints, type Sandbox, startSandbox } from '../src/index.ts'
import { createClient } from './support/client.ts'

const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const secret = 'a-secret-0123456789-0123456789-0123'
let sandbox: Sandbox
beforeAll(async () => {
  const jwk = { ...(publicKey.export({ format: 'jwk' }) as { kty: string }), kid: 'key-1' }
  sandbox = await startSandbox({
    devicePollInterval: 1,
    clients: [{ client_id: 'app', client_secret: secret, jwks: { keys: [jwk] } }],
  })
})
afterAll(() => sandbox.stop())

const answerOf = async (response: Promise<Response>) => {
  const { status } = await response
  return { status, body: await (await response).json() }
}

test('gives a client tokens of its own', async () => {
  const { post } = createClient(sandbox)
  const { body } = await answerOf(post('token', { grant_type: 'client_credentials', scope: 'api:read' }))
  expect(body).toMatchObject({ token_type: 'Bearer', scope: 'api:read' })
  expect(body).not.toHaveProperty('refresh_token')
})

describe('an assertion', () => {
  const now = () => Math.floor(Date.now() / 1000)
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  function assertionOf(claims: object, header: object = { alg: 'EdDSA', kid: 'key-1' }) {
    const all = { iss: 'app', sub: 'alice', aud: sandbox.issuer, iat: now(), exp: now() + 60, ...claims }
    const signed = `${encode(header)}.${encode(all)}`
    return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`
  }
  const send = (assertion: string) =>
    answerOf(
      fetch(`${sandbox.issuer}${endpoints.token}`, {
        method: 'POST',
        body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }),
      }),
    )

  test('gives the tokens of whom it names', async () => {
    const { body } = await send(assertionOf({ scope: 'openid email' }))
    const { post } = createClient(sandbox)
    const seen = await answerOf(post('introspection', { token: body.access_token }))
    expect(seen.body).toMatchObject({ active: true, sub: 'alice', scope: 'openid email' })
    expect(body).not.toHaveProperty('refresh_token')
    await fetch(`${sandbox.issuer}${endpoints.revocation}`, {
      method: 'POST',
      body: new URLSearchParams({ token: body.access_token }),
    })
    expect((await answerOf(post('introspection', { token: body.access_token }))).body).toEqual({ active: false })
  })

  test.each([
    ['the issuer', () => assertionOf({ iss: 'nobody' })],
    ['the audience', () => assertionOf({ aud: 'https://elsewhere.example' })],
    ['its end', () => assertionOf({ exp: now() - 1 })],
    ['a life of more than an hour', () => assertionOf({ exp: now() + 3700 })],
    ['its beginning', () => assertionOf({ iat: now() + 100 })],
    ['the key id', () => assertionOf({}, { alg: 'EdDSA', kid: 'key-2' })],
    ['the algorithm', () => assertionOf({}, { alg: 'none' })],
    ['a changed claim', () => assertionOf({}).replace(/\.[^.]+\./, `.${encode({ iss: 'app', sub: 'bob' })}.`)],
    ['no assertion', () => ''],
  ])('is refused for %s', async (_what, make) => {
    expect(await send(make())).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  })

  test('with an identifier is good for one use', async () => {
    const assertion = assertionOf({ jti: 'once' })
    expect((await send(assertion)).status).toBe(200)
    expect((await send(assertion)).body).toMatchObject({ error: 'invalid_grant' })
  })
})

describe('a device', () => {
  const basic = { authorization: `Basic ${btoa(`app:${secret}`)}` }
  const begin = async () => {
    const response = await fetch(`${sandbox.issuer}${endpoints.device_authorization}`, {
      method: 'POST',
      headers: basic,
      body: new URLSearchParams({ client_id: 'app', scope: 'openid' }),
    })
    return response.json()
  }
  const poll = (device_code: string) =>
    answerOf(
      createClient(sandbox).post('token', {
        grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
        device_code,
      }),
    )

  test('is told its pace, held to it, and connected once the person consents', async () => {
    const { device_code, interval, user_code, verification_uri } = await begin()
    expect(interval).toBe(1)
    await sleep(1050)
    expect((await poll(device_code)).body).toMatchObject({ error: 'authorization_pending' })
    await connectDevice(verification_uri, { userCode: user_code })
    await sleep(1050)
    expect((await poll(device_code)).body).toMatchObject({ access_token: expect.any(String), scope: 'openid' })
  })

  test('that asks too soon has to wait longer', async () => {
    const { device_code } = await begin()
    const before = sandbox.stats.devicePollsTooFast
    expect((await poll(device_code)).body).toEqual({ error: 'slow_down' })
    await sleep(1100)
    expect((await poll(device_code)).body).toEqual({ error: 'slow_down' })
    expect(sandbox.stats.devicePollsTooFast).toBe(before + 2)
  })

  test('whose code is wrong is told so, and one that is refused is not connected', async () => {
    const { device_code, user_code, verification_uri } = await begin()
    const wrong = await connectDevice(verification_uri, { userCode: 'XXXX-XXXX' })
    expect(wrong).toMatchObject({ status: 400, text: expect.stringContaining('The code is not valid here') })
    await connectDevice(verification_uri, { userCode: user_code, consent: 'deny' })
    await sleep(1050)
    expect((await poll(device_code)).body).toMatchObject({ error: 'access_denied' })
  })
})
