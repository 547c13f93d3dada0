import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Caller } from '../../src/core/ports.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { useStores } from '../support/stores.ts'

describeEachDatabase('the caller store', (database) => {
  const stores = useStores(database)
  const insert = (given: Partial<Caller>, hash = randomBytes(32)) =>
    stores.callers.insert(
      {
        id: crypto.randomUUID(),
        workspaceId: stores.admin.workspaceId,
        name: `caller-${hash.toString('hex').slice(0, 8)}`,
        permissions: ['token:read'],
        connections: ['google-*'],
        subjects: [],
        expiresAt: null,
        ...given,
      },
      hash,
    )

  test('finds a caller by the hash of its key', async () => {
    const hash = randomBytes(32)
    const caller = await insert({ subjects: ['user-1'] }, hash)
    expect(await stores.callers.findLive(hash)).toEqual(caller)
    expect(caller).toMatchObject({ permissions: ['token:read'], connections: ['google-*'], subjects: ['user-1'] })
    expect(await stores.callers.findLive(randomBytes(32))).toBeUndefined()
  })

  test('does not find one that is revoked or has expired, by the clock of the database', async () => {
    const revoked = randomBytes(32)
    const caller = await insert({}, revoked)
    await stores.callers.revoke(stores.admin.workspaceId, caller?.id ?? '')
    expect(await stores.callers.findLive(revoked)).toBeUndefined()
    const expired = randomBytes(32)
    await insert({ expiresAt: new Date(Date.now() - 1000) }, expired)
    expect(await stores.callers.findLive(expired)).toBeUndefined()
  })

  test('takes a name once, and again after a revocation', async () => {
    const first = await insert({ name: 'ci' })
    expect(await insert({ name: 'ci' })).toBeUndefined()
    await stores.callers.revoke(stores.admin.workspaceId, first?.id ?? '')
    expect(await insert({ name: 'ci' })).toMatchObject({ name: 'ci' })
  })

  test('lists live callers by name, in pages, of one workspace', async () => {
    const names = (await stores.callers.list(stores.admin.workspaceId, { limit: 100, after: 'caller-' })).map(
      (caller) => caller.name,
    )
    expect(names).toEqual([...names].sort())
    expect(await stores.callers.list(crypto.randomUUID(), { limit: 100, after: undefined })).toEqual([])
    expect(await stores.callers.revoke(crypto.randomUUID(), stores.admin.id)).toBeUndefined()
  })
})
