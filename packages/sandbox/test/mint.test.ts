import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { endpoints, type MintedTokens, type Sandbox, startSandbox } from '../src/index.ts'
import { createClient, readError, readTokens } from './support/client.ts'
import { createSwitchClient } from './support/switches.ts'

let sandbox: Sandbox
let client: ReturnType<typeof createClient>
beforeEach(async () => {
  sandbox = await startSandbox({
    signingAlg: 'ES256',
    clients: [
      { client_id: 'first', client_secret: 'secret-1' },
      { client_id: 'second', client_secret: 'secret-2' },
    ],
  })
  client = createClient(sandbox)
})
afterEach(() => sandbox.stop())

const refused = { status: 400, error: 'invalid_grant' }

async function introspect(token: string) {
  return (await (await client.post('introspection', { token })).json()) as Record<string, unknown>
}

describe('minted tokens', () => {
  test('look like an answer of the token endpoint, with the family', async () => {
    expect(await sandbox.mint()).toEqual({
      family: expect.any(String),
      access_token: expect.any(String),
      refresh_token: expect.any(String),
      expires_in: 3600,
      scope: 'api:read',
      token_type: 'Bearer',
    })
  })

  test('are introspected as those of the code flow are', async () => {
    const flow = await client.signIn('openid email')
    const minted = await sandbox.mint({ scope: 'openid email' })
    for (const name of ['access_token', 'refresh_token'] as const) {
      const { exp, iat, ...said } = await introspect(minted[name])
      const { exp: flowExp, iat: flowIat, ...flowSaid } = await introspect(flow[name])
      expect(said).toEqual(flowSaid)
      expect(Number(exp) - Number(iat)).toBe(Number(flowExp) - Number(flowIat))
    }
  })

  test('tell userinfo about the account', async () => {
    const { access_token } = await sandbox.mint({ account: 'bob', scope: 'openid email' })
    const headers = { authorization: `Bearer ${access_token}` }
    const userinfo = await fetch(`${sandbox.issuer}${endpoints.userinfo}`, { headers })
    expect(await userinfo.json()).toEqual({ sub: 'bob', email: 'bob@example.com', email_verified: true })
  })

  test('refresh, rotate, and end as a family when an old one is used again', async () => {
    const first = await sandbox.mint({ scope: 'openid api:write' })
    const second = await readTokens(await client.refresh(first.refresh_token))
    expect(second).toMatchObject({ scope: 'openid api:write', id_token: expect.any(String) })
    expect(second.refresh_token).not.toBe(first.refresh_token)

    expect(await readError(await client.refresh(first.refresh_token))).toEqual(refused)
    expect(await readError(await client.refresh(second.refresh_token))).toEqual(refused)
    expect(await introspect(second.access_token)).toEqual({ active: false })
  })

  test('are taken again within the reuse interval', async () => {
    sandbox.changeSettings({ reuseInterval: 60 })
    const { refresh_token } = await sandbox.mint()
    expect((await client.refresh(refresh_token)).status).toBe(200)
    expect((await client.refresh(refresh_token)).status).toBe(200)
  })

  test('end by revocation, and only their family', async () => {
    const [one, other] = [await sandbox.mint(), await sandbox.mint()]
    await client.post('revocation', { token: one.refresh_token })
    expect(await introspect(one.access_token)).toEqual({ active: false })
    expect(await readError(await client.refresh(one.refresh_token))).toEqual(refused)
    expect((await client.refresh(other.refresh_token)).status).toBe(200)
  })

  test('belong to the client that they are for', async () => {
    const { refresh_token } = await sandbox.mint({ clientId: 'second' })
    expect(await readError(await client.refresh(refresh_token))).toEqual(refused)
    const second = createClient(sandbox, { client_id: 'second', client_secret: 'secret-2' })
    expect((await second.refresh(refresh_token)).status).toBe(200)
  })

  test.each([
    [{ clientId: 'nobody' }, 'There is no client "nobody"'],
    [{ account: '' }, '"account" must be a name of at most 255 characters'],
    [{ scope: 'no:such:scope' }, '"scope" must name some of: openid, profile'],
  ])('are refused for %j', async (options, message) => {
    await expect(sandbox.mint(options)).rejects.toMatchObject({
      name: 'InvalidMintError',
      message: expect.stringContaining(message),
    })
  })
})

describe('over HTTP', () => {
  test('as many families as asked for come at once, within seconds', async () => {
    const call = createSwitchClient(sandbox)
    const start = performance.now()
    const { status, body } = await call('POST', 'tokens', { count: 2000, account: 'carol', scope: 'openid' })
    expect(performance.now() - start).toBeLessThan(5000)
    const tokens = body.tokens as MintedTokens[]
    expect([status, tokens.length]).toEqual([200, 2000])
    for (const name of ['family', 'access_token', 'refresh_token'] as const) {
      expect(new Set(tokens.map((minted) => minted[name])).size).toBe(2000)
    }
    expect(await introspect(tokens.at(-1)?.access_token ?? '')).toMatchObject({ active: true, sub: 'carol' })
  })

  test('one comes when no number is given', async () => {
    const { body } = await createSwitchClient(sandbox)('POST', 'tokens', {})
    expect(body).toEqual({ tokens: [expect.objectContaining({ scope: 'api:read' })] })
  })

  test.each([
    [{ count: 0 }, '"count" must be a whole number from 1 to 5000'],
    [{ count: 5001 }, '"count" must be'],
    [{ count: '3' }, '"count" must be'],
    [{ account: 7 }, '"account" must be'],
    [{ clientId: 7 }, 'There is no client 7'],
    [{ client: 'first' }, 'Unknown member "client". Members: count, account, scope, clientId'],
  ])('%j is refused with a reason', async (request, message) => {
    const { status, body } = await createSwitchClient(sandbox)('POST', 'tokens', request)
    expect([status, body.message]).toEqual([400, expect.stringContaining(message)])
  })
})
