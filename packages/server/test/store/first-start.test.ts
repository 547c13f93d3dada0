import { randomBytes } from 'node:crypto'
import { permissionNames } from '@authconn/shared'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCallerStore } from '../../src/adapters/postgres/caller-store.ts'
import { sampleDataKeys } from '../../src/adapters/postgres/data-key-store.ts'
import { firstStart } from '../../src/adapters/postgres/first-start.ts'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import { hashApiKey } from '../../src/core/callers/api-key.ts'
import { createKeks, createLocalKek } from '../../src/core/crypto/key-encryption-key.ts'
import { Secret } from '../../src/core/secret.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { type OpenTestDatabase, openTestDatabase } from '../support/stores.ts'

describeEachDatabase('the first start', (database) => {
  let opened: OpenTestDatabase
  const keks = createKeks(createLocalKek(randomBytes(32)))
  beforeAll(async () => {
    opened = await openTestDatabase(database)
    await migrate(opened.db)
  })
  afterAll(() => opened.close())

  test('makes nothing when the key cannot be kept', async () => {
    const full = () => {
      throw new Error('disk full')
    }
    await expect(firstStart(opened.db, keks, full)).rejects.toThrow('disk full')
    expect(await sampleDataKeys(opened.db)).toEqual([])
  })

  test('gives one administrator key, however many start at once', async () => {
    const kept: string[] = []
    const keep = (key: Secret) => {
      kept.push(key.reveal())
    }
    const keys = await Promise.all(Array.from({ length: 5 }, () => firstStart(opened.db, keks, keep)))
    expect(keys.filter(Boolean)).toHaveLength(1)
    expect(kept).toHaveLength(1)
    const admin = await createCallerStore(opened.db).findLive(hashApiKey(new Secret(kept[0] ?? '')), null)
    expect(admin?.caller).toMatchObject({ name: 'admin', connections: ['*'], subjects: null, addresses: null })
    const missing = permissionNames.filter((permission) => !admin?.caller.permissions.includes(permission))
    expect(missing.sort()).toEqual(['refresh_token:read', 'vault:operate'])
  })

  test('happens once', async () => {
    expect(await firstStart(opened.db, keks, () => {})).toBeUndefined()
    expect(await sampleDataKeys(opened.db)).toMatchObject([{ kekId: keks.current.id, version: 1 }])
  })
})
