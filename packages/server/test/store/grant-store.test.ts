import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import type { Lease, RefreshFailure } from '../../src/core/grant-port.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { exampleTokens, useStores } from '../support/stores.ts'

const passing: RefreshFailure = {
  error: { code: 'provider_unavailable', class: 'passing', detail: 'HTTP 500' },
  status: 'active',
  retryIn: 60,
  blocked: null,
  unrecognized: false,
  outcomeUnknown: false,
  rotated: null,
}
const over: RefreshFailure = {
  ...passing,
  error: { code: 'grant_expired', class: 'permanent', detail: 'invalid_grant' },
  status: 'expired',
  retryIn: null,
}

describeEachDatabase('the grant store', (database) => {
  const stores = useStores(database)

  async function activeGrant(expiresIn: number | null = 3600) {
    const connection = await stores.newConnection()
    return stores.newActiveGrant(connection, { expiresIn })
  }
  const lease = (grant: { id: string; generation: number }, owner: string): Lease => ({
    grantId: grant.id,
    generation: grant.generation,
    owner,
  })

  test('makes one row for a connection and subject, however many ask at once', async () => {
    const connection = await stores.newConnection()
    const rows = await Promise.all(Array.from({ length: 8 }, () => stores.grants.ensure(connection, 'user-1')))
    expect(new Set(rows.map((row) => row?.id)).size).toBe(1)
  })

  test('gives the lease to one of those who ask at once', async () => {
    const grant = await activeGrant()
    const taken = await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map((owner) => stores.grants.takeLease(lease(grant, owner), 30, { failures: 0 })),
    )
    expect(taken.filter(Boolean)).toHaveLength(1)
  })

  test('gives an ended lease to the next, and what the former writes then changes nothing', async () => {
    const grant = await activeGrant()
    expect(await stores.grants.takeLease(lease(grant, 'slow'), 0.05, { failures: 0 })).toBeDefined()
    await sleep(80)
    expect(await stores.grants.takeLease(lease(grant, 'quick'), 30, { failures: 0 })).toBeDefined()
    const late = { ...exampleTokens, accessToken: Buffer.from('late') }
    expect(await stores.grants.saveRefreshed(lease(grant, 'slow'), late)).toBeUndefined()
    const quick = { ...exampleTokens, accessToken: Buffer.from('quick') }
    expect(await stores.grants.saveRefreshed(lease(grant, 'quick'), quick)).toBeDefined()
    expect(await stores.grants.saveRefreshed(lease(grant, 'slow'), late)).toBeUndefined()
    const after = await stores.grants.findById(grant.id)
    expect(Buffer.from(after?.grant.accessToken ?? []).toString()).toBe('quick')
    expect(after?.grant.generation).toBe(grant.generation + 1)
  })

  test('keeps refresh token and scope when the provider sends no new ones', async () => {
    const grant = await activeGrant()
    await stores.grants.takeLease(lease(grant, 'a'), 30, { failures: 0 })
    await stores.grants.saveRefreshed(lease(grant, 'a'), { ...exampleTokens, refreshToken: null, scope: null })
    const after = await stores.grants.findById(grant.id)
    expect(after?.grant.refreshToken).toEqual(grant.refreshToken)
    expect(after?.grant.scope).toBe(grant.scope)
  })

  test('counts the life of a token from when the provider was asked', async () => {
    const grant = await activeGrant()
    await stores.grants.takeLease(lease(grant, 'a'), 30, { failures: 0 })
    await stores.grants.saveRefreshed(lease(grant, 'a'), { ...exampleTokens, expiresIn: 100, age: 40_000 })
    const after = await stores.grants.findById(grant.id)
    const left = (after?.grant.expiresAt?.getTime() ?? 0) - (after?.now.getTime() ?? 0)
    expect(left).toBeGreaterThan(59_000)
    expect(left).toBeLessThanOrEqual(60_000)
    expect(after?.grant.lifetime).toBe(100)
  })

  test('after a passing failure gives no lease until the retry is due, and keeps the tokens', async () => {
    const grant = await activeGrant()
    await stores.grants.takeLease(lease(grant, 'a'), 30, { failures: 0 })
    const error = passing.error
    expect(await stores.grants.saveFailure(lease(grant, 'a'), { ...passing, retryIn: 0.1 })).toBe(true)
    const failed = await stores.grants.findById(grant.id)
    expect(failed).toMatchObject({ leased: false, grant: { failureCount: 1, lastError: error } })
    expect(failed?.grant.accessToken).toEqual(grant.accessToken)
    expect(Date.parse(failed?.grant.lastError?.at ?? '')).not.toBeNaN()
    expect(await stores.grants.takeLease(lease(grant, 'b'), 30, { failures: 1 })).toBeUndefined()
    await sleep(150)
    expect(await stores.grants.takeLease(lease(grant, 'b'), 30, { failures: 1 })).toBeDefined()
  })

  test('moves the generation when a grant expires, and gives no lease on it', async () => {
    const grant = await activeGrant()
    await stores.grants.takeLease(lease(grant, 'a'), 30, { failures: 0 })
    await stores.grants.saveFailure(lease(grant, 'a'), over)
    const after = await stores.grants.findById(grant.id)
    expect(after?.grant).toMatchObject({ status: 'expired', generation: grant.generation + 1 })
    expect(await stores.grants.takeLease(lease(after?.grant ?? grant, 'b'), 30, { failures: 0 })).toBeUndefined()
  })

  test('revokes only the generation it has seen, and queues what to revoke at the provider with it', async () => {
    const grant = await activeGrant()
    const revocation = { id: crypto.randomUUID(), tokens: Buffer.from('sealed tokens') }
    const stale = { ...grant, generation: grant.generation - 1 }
    expect(await stores.grants.revoke(stale, revocation)).toBe(false)
    expect(await stores.revocations.claim(revocation.id, 30)).toBeUndefined()

    expect(await stores.grants.revoke(grant, revocation)).toBe(true)
    const after = await stores.grants.findById(grant.id)
    expect(after?.grant).toMatchObject({ status: 'revoked', accessToken: null, refreshToken: null })
    expect(await stores.revocations.claim(revocation.id, 30)).toMatchObject({ grantId: grant.id, attempts: 1 })
  })

  test('a refresh that was under way when the grant was revoked changes nothing', async () => {
    const grant = await activeGrant()
    await stores.grants.takeLease(lease(grant, 'a'), 30, { failures: 0 })
    await stores.grants.revoke(grant, null)
    expect(await stores.grants.saveRefreshed(lease(grant, 'a'), exampleTokens)).toBeUndefined()
    expect((await stores.grants.findById(grant.id))?.grant.status).toBe('revoked')
  })

  test('lists the grants of a connection by subject, in pages', async () => {
    const connection = await stores.newConnection()
    for (const subject of ['b', '', 'a']) await stores.grants.ensure(connection, subject)
    const first = await stores.grants.list(connection.id, null, { limit: 2, after: undefined })
    expect(first.grants.map((grant) => grant.subject)).toEqual(['', 'a'])
    const second = await stores.grants.list(connection.id, null, { limit: 2, after: 'a' })
    expect(second.grants.map((grant) => grant.subject)).toEqual(['b'])
  })
  test.each<[what: string, patterns: string[], found: string[]]>([
    ['none', [], ['']],
    ['a name', ['alice'], ['', 'alice']],
    ['a * for any characters', ['team*1'], ['', 'team_1', 'teamx1']],
    ['an underscore that stands for itself', ['team_1'], ['', 'team_1']],
    ['a percent sign that stands for itself', ['100%', 'al%'], ['', '100%']],
    ['a backslash that stands for itself', ['a\\b', 'alice\\'], ['', 'a\\b']],
    ['all', ['*'], ['', '100%', 'a\\b', 'alice', 'team_1', 'teamx1']],
  ])('lists the application grant and those of the subjects asked for: %s', async (_what, patterns, found) => {
    const connection = await stores.newConnection()
    for (const subject of ['', 'alice', 'team_1', 'teamx1', '100%', 'a\\b'])
      await stores.grants.ensure(connection, subject)
    const { grants } = await stores.grants.list(connection.id, patterns, { limit: 9, after: undefined })
    expect(grants.map((grant) => grant.subject).sort()).toEqual(found)
  })

  test('notes uses of several grants, and none again within the hour', async () => {
    const ids = [(await activeGrant()).id, (await activeGrant()).id]
    const used = async () =>
      Promise.all(ids.map(async (id) => (await stores.grants.findById(id))?.grant.lastUsedAt?.getTime() ?? 0))
    const setBack = (minutes: number) =>
      sql`update grants set last_used_at = now() - ${minutes} * interval '1 minute' where id = ${ids[0]}`.execute(
        stores.db,
      )
    await stores.grants.touch(ids)
    const [first = 0, second = 0] = await used()
    expect(Math.min(first, second)).toBeGreaterThan(Date.now() - 60_000)
    await setBack(50)
    await stores.grants.touch(ids)
    expect(await used()).toEqual([expect.closeTo(first - 3_000_000, -5), second])
    await setBack(61)
    await stores.grants.touch(ids)
    const [again = 0] = await used()
    expect(again).toBeGreaterThanOrEqual(first)
    expect(await used()).toEqual([again, second])
  })
})
