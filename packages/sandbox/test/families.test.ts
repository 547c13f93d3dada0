import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Sandbox, startSandbox } from '../src/index.ts'
import { createEntryStore } from '../src/provider/entry-store.ts'
import { createClient, readTokens } from './support/client.ts'
import { createSwitchClient } from './support/switches.ts'

let sandbox: Sandbox
let client: ReturnType<typeof createClient>
beforeEach(async () => {
  sandbox = await startSandbox({ signingAlg: 'ES256' })
  client = createClient(sandbox)
})
afterEach(() => sandbox.stop())

const untouched = { refreshes: 0, replays: 0, reused: 0, revoked: false, lastRefreshAt: null }

test('a family begins untouched, by a sign-in as by minting', async () => {
  await client.signIn()
  const { family } = await sandbox.mint()
  expect(sandbox.families.list()).toEqual([
    { family: expect.any(String), ...untouched },
    { family, ...untouched },
  ])
})

test('refreshes count, with the time of the last', async () => {
  const { family, refresh_token } = await sandbox.mint()
  const before = Date.now()
  const second = await readTokens(await client.refresh(refresh_token))
  await client.refresh(second.refresh_token)
  const found = sandbox.families.find(family)
  expect(found).toMatchObject({ ...untouched, refreshes: 2, lastRefreshAt: expect.any(String) })
  expect(Date.parse(found?.lastRefreshAt ?? '')).toBeGreaterThanOrEqual(before)
})

test('a refresh whose answer was lost counts, one that was refused does not', async () => {
  const { family, refresh_token } = await sandbox.mint()
  sandbox.faults.set('token', { kind: 'status', status: 503 }, { times: 1 })
  await client.refresh(refresh_token)
  expect(sandbox.families.find(family)).toEqual({ family, ...untouched })
  sandbox.faults.set('token', { kind: 'reset_after' }, { times: 1 })
  await expect(client.refresh(refresh_token)).rejects.toThrow()
  expect(sandbox.families.find(family)).toMatchObject({ refreshes: 1 })
})

test('without rotation refreshes count and nothing is a reuse', async () => {
  sandbox.changeSettings({ rotateRefreshTokens: false })
  const { family, refresh_token } = await sandbox.mint()
  await client.refresh(refresh_token)
  await client.refresh(refresh_token)
  expect(sandbox.families.find(family)).toMatchObject({ refreshes: 2, replays: 0, reused: 0, revoked: false })
})

test('a used token inside the reuse interval is a reuse, and outside it a replay that ends the family', async () => {
  sandbox.changeSettings({ reuseInterval: 60 })
  const { family, refresh_token } = await sandbox.mint()
  for (let i = 0; i < 3; i++) await client.refresh(refresh_token)
  expect(sandbox.families.find(family)).toMatchObject({ refreshes: 3, reused: 2, replays: 0, revoked: false })
  sandbox.changeSettings({ reuseInterval: 0 })
  await client.refresh(refresh_token)
  expect(sandbox.families.find(family)).toMatchObject({ refreshes: 3, reused: 2, replays: 1, revoked: true })
})

test('replays go on counting when the family has ended; its unused token is none', async () => {
  const first = await sandbox.mint()
  const second = await readTokens(await client.refresh(first.refresh_token))
  const third = await readTokens(await client.refresh(second.refresh_token))
  const tokens = [first, first, second, third].map(({ refresh_token }) => refresh_token)
  for (const token of tokens) expect((await client.refresh(token)).status).toBe(400)
  expect(sandbox.families.find(first.family)).toMatchObject({ refreshes: 2, replays: 3, revoked: true })
  expect(sandbox.stats.refreshTokenReplays).toBe(3)
})

test.each(['access_token', 'refresh_token'] as const)('revoking an %s ends the family', async (name) => {
  const [one, other] = [await sandbox.mint(), await sandbox.mint()]
  await client.post('revocation', { token: one[name] })
  expect(sandbox.families.find(one.family)).toEqual({ family: one.family, ...untouched, revoked: true })
  expect(sandbox.families.find(other.family)).toMatchObject({ revoked: false })
})

test('all families, or those asked for, are read over HTTP', async () => {
  const call = createSwitchClient(sandbox)
  const [one, other] = [await sandbox.mint(), await sandbox.mint()]
  const expected = [one, other].map(({ family }) => ({ family, ...untouched }))
  expect((await call('GET', 'families')).body).toEqual({ families: expected })
  expect((await call('GET', `families?family=${other.family}`)).body).toEqual({ families: [expected[1]] })
  expect((await call('GET', `families?family=${other.family}&family=${one.family}`)).body).toEqual({
    families: [expected[1], expected[0]],
  })
  expect((await call('GET', 'families?family=unknown')).body).toEqual({ families: [] })
})

test('ending one family of many takes no longer than ending one of few', async () => {
  function timeToEnd(families: number) {
    const store = createEntryStore()
    for (let i = 0; i < families; i++) store.put(`token-${i}`, { grantId: `grant-${i}` }, 60)
    const start = performance.now()
    for (let i = 0; i < 1000; i++) expect(store.removeGrant(`grant-${i}`).length).toBe(1)
    return performance.now() - start
  }
  timeToEnd(1000)
  expect(timeToEnd(200_000)).toBeLessThan(Math.max(200, 20 * timeToEnd(1000)))
})

test('the store forgets what has expired', () => {
  const store = createEntryStore()
  store.put('old', { grantId: 'one' }, -1)
  store.put('young', { grantId: 'one' }, 60)
  expect([store.find('old'), store.find('young')]).toEqual([undefined, { grantId: 'one' }])
  for (let i = 0; i < 1000; i++) store.put(`other-${i}`, {}, 60)
  expect(store.removeGrant('one').map(({ id }) => id)).toEqual(['young'])
})
