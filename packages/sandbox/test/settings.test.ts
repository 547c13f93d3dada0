import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Sandbox, startSandbox } from '../src/index.ts'
import { createClient, readError, readTokens } from './support/client.ts'
import { createSwitchClient } from './support/switches.ts'

let sandbox: Sandbox
let client: ReturnType<typeof createClient>
let call: ReturnType<typeof createSwitchClient>
beforeEach(async () => {
  sandbox = await startSandbox({ signingAlg: 'ES256' })
  client = createClient(sandbox)
  call = createSwitchClient(sandbox)
})
afterEach(() => sandbox.stop())

const defaults = {
  accessTokenTtl: 3600,
  refreshTokenTtl: 2_592_000,
  idTokenTtl: 3600,
  rotateRefreshTokens: true,
  reuseInterval: 0,
  tokenLatencyMs: 0,
  devicePollInterval: 5,
  announceRefreshTokenTtl: 'none',
}

describe('over HTTP', () => {
  test('all settings can be read, and some of them changed', async () => {
    expect((await call('GET', 'settings')).body).toEqual(defaults)
    const changed = { ...defaults, accessTokenTtl: 5, reuseInterval: 1.5 }
    const answer = await call('POST', 'settings', { accessTokenTtl: 5, reuseInterval: 1.5 })
    expect(answer).toEqual({ status: 200, body: changed })
    expect((await call('GET', 'settings')).body).toEqual(changed)
    expect(sandbox.settings).toEqual(changed)
  })

  test.each([
    [{ accessTokenTtl: '5' }, '"accessTokenTtl" must be whole seconds, at least 1'],
    [{ refreshTokenTtl: 0 }, '"refreshTokenTtl" must be whole seconds, at least 1'],
    [{ rotateRefreshTokens: 'no' }, '"rotateRefreshTokens" must be true or false'],
    [{ reuseInterval: -1 }, '"reuseInterval" must be seconds, at least 0'],
    [{ tokenLatencyMs: 1e9 }, '"tokenLatencyMs" must be milliseconds from 0 to 600000'],
    [
      { announceRefreshTokenTtl: 'expires' },
      '"announceRefreshTokenTtl" must be one of none, refresh_token_expires_in',
    ],
    [{ ttl: 5 }, 'Unknown setting "ttl". Settings: accessTokenTtl, refreshTokenTtl'],
    ['{', 'The body must be a JSON object.'],
  ])('%j is refused with a reason', async (body, reason) => {
    const answer = await call('POST', 'settings', body)
    expect(answer).toMatchObject({ status: 400, body: { message: expect.stringContaining(reason) } })
    expect((await call('GET', 'settings')).body).toEqual(defaults)
  })

  test('one wrong value keeps the right ones beside it from counting', async () => {
    expect((await call('POST', 'settings', { accessTokenTtl: 5, reuseInterval: -1 })).status).toBe(400)
    expect(sandbox.settings).toEqual(defaults)
  })
})

describe('while it runs', () => {
  test('the lifetime of refresh tokens changes for those issued from then on', async () => {
    sandbox.changeSettings({ announceRefreshTokenTtl: 'refresh_token_expires_in' })
    const { refresh_token } = await sandbox.mint()
    sandbox.changeSettings({ refreshTokenTtl: 77 })
    expect(await readTokens(await client.refresh(refresh_token))).toMatchObject({ refresh_token_expires_in: 77 })
  })

  test('rotation goes off and on', async () => {
    sandbox.changeSettings({ rotateRefreshTokens: false })
    const { refresh_token } = await sandbox.mint()
    expect(await readTokens(await client.refresh(refresh_token))).toMatchObject({ refresh_token })
    sandbox.changeSettings({ rotateRefreshTokens: true })
    expect((await readTokens(await client.refresh(refresh_token))).refresh_token).not.toBe(refresh_token)
  })

  test('the reuse interval changes for tokens that were used already', async () => {
    const { refresh_token } = await sandbox.mint()
    await client.refresh(refresh_token)
    sandbox.changeSettings({ reuseInterval: 60 })
    expect((await client.refresh(refresh_token)).status).toBe(200)
    sandbox.changeSettings({ reuseInterval: 0 })
    expect(await readError(await client.refresh(refresh_token))).toEqual({ status: 400, error: 'invalid_grant' })
  })

  test('a latency holds token requests up, and nothing else', async () => {
    const tokens = await sandbox.mint()
    sandbox.changeSettings({ tokenLatencyMs: 500 })
    const start = performance.now()
    await client.post('introspection', { token: tokens.access_token })
    expect(performance.now() - start).toBeLessThan(490)
    expect((await client.refresh(tokens.refresh_token)).status).toBe(200)
    expect(performance.now() - start).toBeGreaterThan(490)
  })

  test('a latency lets one of many simultaneous uses of a refresh token through, as ever', async () => {
    sandbox.changeSettings({ tokenLatencyMs: 50 })
    const { refresh_token } = await sandbox.mint()
    const answers = await Promise.all(Array.from({ length: 32 }, () => client.refresh(refresh_token)))
    expect(answers.filter(({ ok }) => ok).length).toBe(1)
  })
})

describe('a client that leaves during the latency', () => {
  async function leave() {
    sandbox.changeSettings({ tokenLatencyMs: 150 })
    const tokens = await sandbox.mint()
    await expect(client.refresh(tokens.refresh_token, AbortSignal.timeout(50))).rejects.toThrow('timeout')
    await sleep(300)
    return tokens
  }

  test('has its token used up, as the provider had the request', async () => {
    const { family } = await leave()
    expect(sandbox.families.find(family)).toMatchObject({ refreshes: 1 })
    expect(sandbox.stats.concurrentTokenRequests.now).toBe(0)
  })

  test('has left for a fault that holds requests too', async () => {
    sandbox.faults.set('token', { kind: 'hang' })
    const { family } = await leave()
    sandbox.faults.clear()
    await sleep(50)
    expect(sandbox.families.find(family)).toMatchObject({ refreshes: 0 })
  })
})

describe('the life of the refresh token', () => {
  const names = ['refresh_token_expires_in', 'x_refresh_token_expires_in'] as const

  test.each(names)('is told as %s in every token answer', async (name) => {
    sandbox.changeSettings({ announceRefreshTokenTtl: name, refreshTokenTtl: 500 })
    const tokens = await client.signIn()
    expect(tokens).toMatchObject({ [name]: 500 })
    expect(await readTokens(await client.refresh(tokens.refresh_token))).toMatchObject({ [name]: 500 })
    expect(await sandbox.mint()).toMatchObject({ [name]: 500 })
  })

  test('is not told by default', async () => {
    const told = Object.keys(await client.signIn())
    for (const name of names) expect(told).not.toContain(name)
  })

  test('is what is left of it when the token is kept', async () => {
    sandbox.changeSettings({
      announceRefreshTokenTtl: 'refresh_token_expires_in',
      refreshTokenTtl: 500,
      rotateRefreshTokens: false,
    })
    const { refresh_token } = await sandbox.mint()
    await sleep(1100)
    const { refresh_token_expires_in: left } = (await readTokens(
      await client.refresh(refresh_token),
    )) as object as {
      refresh_token_expires_in: number
    }
    expect(left).toBeGreaterThan(490)
    expect(left).toBeLessThan(500)
  })
})
