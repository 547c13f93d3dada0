import { randomBytes } from 'node:crypto'
import { permissionNames } from '@authconn/shared'
import { expect, test } from 'vitest'
import { createDataKeyStore } from '../../src/adapters/postgres/data-key-store.ts'
import { makeOperator } from '../../src/adapters/postgres/make-operator.ts'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import { createWorkspaceStore } from '../../src/adapters/postgres/workspace-store.ts'
import { hashApiKey } from '../../src/core/callers/api-key.ts'
import { createKeks, createLocalKek } from '../../src/core/crypto/key-encryption-key.ts'
import { createKeyring } from '../../src/core/crypto/keyring.ts'
import { places } from '../../src/core/crypto/places.ts'
import { Secret } from '../../src/core/secret.ts'
import { administratorOf } from '../../src/core/workspaces/first-callers.ts'
import { newWorkspace } from '../../src/core/workspaces/new-workspace.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { openTestDatabase, silentLog, useStores } from '../support/stores.ts'

describeEachDatabase('the workspace store', (database) => {
  const stores = useStores(database)
  const make = async (name: string) => {
    const { row, apiKey } = await newWorkspace(stores.keks, name, (id) => administratorOf(id, 'admin'))
    return { row, apiKey, made: await createWorkspaceStore(stores.db).insert(row) }
  }
  const live = async (key: Secret) => (await stores.callers.findLive(hashApiKey(key), null))?.caller
  const count = (table: 'workspaces' | 'data_keys' | 'callers' | 'caller_keys') =>
    stores.db
      .selectFrom(table)
      .select((eb) => eb.fn.countAll<string>().as('n'))
      .executeTakeFirstOrThrow()
      .then(({ n }) => Number(n))
  const counts = async () => [await count('workspaces'), await count('data_keys'), await count('callers')]

  test('makes a workspace with a data key of its own and an administrator who may enter', async () => {
    const { row, apiKey, made } = await make('acme')
    expect(made).toMatchObject({ workspace: { id: row.id, name: 'acme' }, firstCaller: { workspaceId: row.id } })
    const admin = await live(apiKey)
    expect(admin).toEqual(made?.firstCaller)
    const missing = permissionNames.filter((permission) => !admin?.permissions.includes(permission))
    expect(missing.sort()).toEqual(['metrics:read', 'refresh_token:read', 'vault:operate'])
    const dataKey = await createDataKeyStore(stores.db).getCurrent(row.id)
    expect(dataKey).toMatchObject({ version: 1, kekId: stores.keks.current.id })
    expect(await stores.keks.current.unwrap(dataKey)).toHaveLength(32)
  })

  test('makes nothing where the name is taken', async () => {
    await make('taken')
    const before = await counts()
    const { made, apiKey } = await make('taken')
    expect(made).toBeUndefined()
    expect(await counts()).toEqual(before)
    expect(await live(apiKey)).toBeUndefined()
  })

  test('makes nothing where a part of it fails', async () => {
    const before = await counts()
    const { row } = await newWorkspace(stores.keks, 'half', (id) => administratorOf(id, 'admin'))
    const [taken] = await stores.db.selectFrom('caller_keys').select('key_hash').limit(1).execute()
    const broken = { ...row, firstKeyHash: taken?.key_hash ?? row.firstKeyHash }
    await expect(createWorkspaceStore(stores.db).insert(broken)).rejects.toThrow('caller_keys_pkey')
    expect(await counts()).toEqual(before)
  })

  test('of several that make the same name at once one does', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => make('contested')))
    expect(all.filter(({ made }) => made)).toHaveLength(1)
  })

  test('lists them by name, in pages', async () => {
    for (const name of ['page-c', 'page-a', 'page-b']) await make(name)
    const names = async (after: string, limit: number) =>
      (await createWorkspaceStore(stores.db).list({ after, limit })).map(({ name }) => name)
    expect(await names('page', 2)).toEqual(['page-a', 'page-b'])
    expect(await names('page-b', 1)).toEqual(['page-c'])
  })

  test('a keyring that was asked for a workspace before it was there knows it at once when it is', async () => {
    const { row } = await newWorkspace(stores.keks, 'later', (id) => administratorOf(id, 'admin'))
    const replica = createKeyring({ dataKeys: createDataKeyStore(stores.db), keks: stores.keks, log: silentLog })
    const place = places.clientSecret({ id: crypto.randomUUID(), workspaceId: row.id })
    await expect(replica.seal(place, new Secret('s'))).rejects.toThrow()
    await createWorkspaceStore(stores.db).insert(row)
    const sealed = await replica.seal(place, new Secret('s'))
    expect((await stores.keyring.open(place, sealed)).reveal()).toBe('s')
  })
})

describeEachDatabase('an operator', (database) => {
  const keks = createKeks(createLocalKek(randomBytes(32)))

  test('is not made in a vault that was never started, which would then get no administrator', async () => {
    const { db, close } = await openTestDatabase(database)
    await migrate(db)
    await expect(makeOperator(db, keks, 'operator', () => {})).rejects.toMatchObject({ code: 'vault_not_started' })
    expect(await createWorkspaceStore(db).list({ limit: 10, after: undefined })).toEqual([])
    await close()
  })
})

describeEachDatabase('operators', (database) => {
  const stores = useStores(database)
  const live = async (key: Secret) => (await stores.callers.findLive(hashApiKey(key), null))?.caller
  const names = async () =>
    (await createWorkspaceStore(stores.db).list({ limit: 10, after: undefined })).map(({ name }) => name)

  test('are not made when the key cannot be kept', async () => {
    const full = () => {
      throw new Error('disk full')
    }
    await expect(makeOperator(stores.db, stores.keks, 'lost', full)).rejects.toThrow('disk full')
    expect(await names()).toEqual(['default'])
  })

  test('have a workspace of their own, made with the first of them, however many come at once', async () => {
    const kept: string[] = []
    const made = await Promise.all(
      ['a', 'b', 'c'].map((name) => makeOperator(stores.db, stores.keks, name, (key) => kept.push(key.reveal()))),
    )
    expect(kept.sort()).toEqual(made.map((key) => key.reveal()).sort())
    expect(await names()).toEqual(['default', 'operators'])
    const operators = await Promise.all(made.map(live))
    expect(new Set(operators.map((operator) => operator?.workspaceId)).size).toBe(1)
    expect(operators[0]?.workspaceId).not.toBe(stores.admin.workspaceId)
    for (const operator of operators) {
      expect(operator?.permissions).toEqual(['vault:operate', 'metrics:read', 'caller:manage', 'audit:read'])
    }
  })

  test('have names of their own', async () => {
    await makeOperator(stores.db, stores.keks, 'twice', () => {})
    await expect(makeOperator(stores.db, stores.keks, 'twice', () => {})).rejects.toMatchObject({
      code: 'caller_exists',
    })
  })
})
