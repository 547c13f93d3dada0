import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { type Sandbox, type SandboxOptions, startSandbox } from '../src/index.ts'
import { createClient, readError, readTokens } from './support/client.ts'

let sandbox: Sandbox
afterEach(() => sandbox.stop())

async function start(options: SandboxOptions = {}) {
  sandbox = await startSandbox({ signingAlg: 'ES256', ...options })
  return createClient(sandbox)
}

const refused = { status: 400, error: 'invalid_grant' }

async function isActive(client: ReturnType<typeof createClient>, token: string) {
  const answer = (await (await client.post('introspection', { token })).json()) as { active: boolean }
  return answer.active
}

describe('refresh', () => {
  test('rotates the refresh token and ends the family when an old one is used again', async () => {
    const client = await start()
    const first = await client.signIn()
    const second = await readTokens(await client.refresh(first.refresh_token))
    expect(second.refresh_token).not.toBe(first.refresh_token)
    expect(second.access_token).not.toBe(first.access_token)

    expect(await readError(await client.refresh(first.refresh_token))).toEqual(refused)
    expect(await readError(await client.refresh(second.refresh_token))).toEqual(refused)
    expect(await isActive(client, second.access_token)).toBe(false)
    expect(sandbox.stats.refreshTokenReplays).toBe(1)
  })

  test('leaves other families alone when one ends', async () => {
    const client = await start()
    const [one, other] = [await client.signIn(), await client.signIn()]
    await client.refresh(one.refresh_token)
    await client.refresh(one.refresh_token)
    expect((await client.refresh(other.refresh_token)).status).toBe(200)
  })

  test('lets one of many simultaneous uses of a rotating refresh token through', async () => {
    const client = await start()
    const { refresh_token } = await client.signIn()
    const answers = await Promise.all(Array.from({ length: 8 }, () => client.refresh(refresh_token)))
    expect(answers.filter(({ ok }) => ok).length).toBe(1)
    expect(sandbox.stats.tokenRequests.refresh_token).toBe(8)
  })

  test('keeps the refresh token when rotation is off', async () => {
    const client = await start({ rotateRefreshTokens: false })
    const first = await client.signIn()
    const second = await readTokens(await client.refresh(first.refresh_token))
    expect(second.refresh_token).toBe(first.refresh_token)
    expect((await client.refresh(first.refresh_token)).status).toBe(200)
  })

  test('forgives a second use within the reuse interval and not after it', async () => {
    const client = await start({ reuseInterval: 1 })
    const first = await client.signIn()
    const second = await readTokens(await client.refresh(first.refresh_token))
    const again = await readTokens(await client.refresh(first.refresh_token))
    expect(again.refresh_token).not.toBe(second.refresh_token)
    await sleep(600)
    expect((await client.refresh(first.refresh_token)).status).toBe(200)
    await sleep(600)
    expect(await readError(await client.refresh(first.refresh_token))).toEqual(refused)
    expect(await readError(await client.refresh(again.refresh_token))).toEqual(refused)
  })

  test('keeps the nonce in the ID token of a refresh', async () => {
    const client = await start()
    const { id_token } = await readTokens(await client.refresh((await client.signIn('openid')).refresh_token))
    const claims = Buffer.from(id_token?.split('.')[1] ?? '', 'base64url').toString()
    expect(JSON.parse(claims)).toMatchObject({ nonce: 'the-nonce' })
  })
})

describe('lifetimes', () => {
  test('end access and refresh tokens', async () => {
    const client = await start({ accessTokenTtl: 1, refreshTokenTtl: 2 })
    const tokens = await client.signIn()
    expect(tokens.expires_in).toBe(1)
    expect(await isActive(client, tokens.access_token)).toBe(true)
    await sleep(1100)
    expect(await isActive(client, tokens.access_token)).toBe(false)
    await sleep(1100)
    expect(await readError(await client.refresh(tokens.refresh_token))).toEqual(refused)
  })

  test('of access tokens can be changed while it runs', async () => {
    const client = await start()
    const { refresh_token } = await client.signIn()
    sandbox.setAccessTokenTtl(7)
    expect(await readTokens(await client.refresh(refresh_token))).toMatchObject({ expires_in: 7 })
    expect(() => sandbox.setAccessTokenTtl(0)).toThrow('whole seconds')
  })
})

describe('revocation', () => {
  test('of a refresh token ends the access token too', async () => {
    const client = await start()
    const tokens = await client.signIn()
    const token = tokens.refresh_token
    expect((await client.post('revocation', { token, token_type_hint: 'refresh_token' })).status).toBe(200)
    expect(await isActive(client, tokens.access_token)).toBe(false)
    expect(await readError(await client.refresh(token))).toEqual(refused)
    expect(sandbox.stats).toMatchObject({ revocations: 1, introspections: 1, authorizations: 1 })
  })

  test('of a token that is not known succeeds (RFC 7009 section 2.2)', async () => {
    const client = await start()
    expect((await client.post('revocation', { token: 'unknown' })).status).toBe(200)
  })
})

test('serves clients that authenticate by client_secret_post, and holds each to its method', async () => {
  const client_secret = 's3cret/with+odd chars:%'
  await start({
    clients: [
      { client_id: 'in-header', client_secret, token_endpoint_auth_method: 'client_secret_basic' },
      { client_id: 'in-body', client_secret, token_endpoint_auth_method: 'client_secret_post' },
    ],
  })
  const methods = ['client_secret_basic', 'client_secret_post'] as const
  for (const [client_id, right, wrong] of [
    ['in-header', ...methods],
    ['in-body', ...methods.toReversed()],
  ] as const) {
    const client = createClient(sandbox, { client_id, client_secret, token_endpoint_auth_method: right })
    const { refresh_token } = await client.signIn()
    expect((await client.refresh(refresh_token)).status).toBe(200)
    const other = createClient(sandbox, { client_id, client_secret, token_endpoint_auth_method: wrong })
    expect(await readError(await other.refresh(refresh_token))).toEqual({ status: 401, error: 'invalid_client' })
  }
})

test('sends a client back to a callback that is not on loopback', async () => {
  const redirect_uris = ['http://vault.example/callback']
  await start({ clients: [{ client_id: 'hosted', client_secret: 'a-secret', redirect_uris }] })
  const callback = await createClient(sandbox).authorize({ redirect_uri: 'http://vault.example/callback' })
  expect(callback.has('code')).toBe(true)
})
