import { expect, test } from 'vitest'
import { describeEachDatabase } from '../support/databases.ts'
import { exampleTokens, useStores } from '../support/stores.ts'

describeEachDatabase('the connection store', (database) => {
  const stores = useStores(database)
  const workspace = () => stores.admin.workspaceId

  test('gives back what it was given', async () => {
    const connection = await stores.newConnection({ authorizationParameters: { access_type: 'offline' } })
    const found = await stores.connections.find(workspace(), connection.name)
    expect(found?.connection).toEqual(connection)
    expect(found?.connection.authorizationParameters).toEqual({ access_type: 'offline' })
    expect(found?.grant).toBeUndefined()
  })

  test('takes a name once, also when two try at the same moment', async () => {
    const connection = await stores.newConnection()
    const again = await Promise.all(
      [1, 2, 3].map(() =>
        stores.connections.insert({ ...connection, id: crypto.randomUUID(), name: 'wanted-by-all' }),
      ),
    )
    expect(again.filter(Boolean)).toHaveLength(1)
  })

  test('finds nothing in another workspace', async () => {
    const connection = await stores.newConnection()
    expect(await stores.connections.find(crypto.randomUUID(), connection.name)).toBeUndefined()
  })

  test('lists by name what the patterns cover, in pages', async () => {
    for (const name of ['list-c', 'list-a', 'list-b', 'other']) await stores.newConnection({ name })
    const names = async (patterns: string[], after?: string) =>
      (await stores.connections.list(workspace(), patterns, { limit: 2, after })).map((row) => row.connection.name)
    expect(await names(['list-*'])).toEqual(['list-a', 'list-b'])
    expect(await names(['list-*'], 'list-b')).toEqual(['list-c'])
    expect(await names(['other', 'nothing-*'])).toEqual(['other'])
    expect(await names([])).toEqual([])
  })

  test('frees the name of a deleted connection at once, and removes the row when its revocations are through', async () => {
    const connection = await stores.newConnection()
    const grant = await stores.newActiveGrant(connection, { expiresIn: 60 })
    expect(await stores.connections.markDeleted(connection.id)).toBe(true)
    expect(await stores.connections.markDeleted(connection.id)).toBe(false)
    expect(await stores.connections.find(workspace(), connection.name)).toBeUndefined()
    expect(await stores.connections.insert({ ...connection, id: crypto.randomUUID() })).toBeDefined()

    // Tokens still there: a crash came between deletion and revocation.
    expect(await stores.connections.purgeDeleted()).toBe(0)
    expect((await stores.connections.listHalfDeleted(10)).map((row) => row.id)).toEqual([connection.id])

    const revocation = { id: crypto.randomUUID(), tokens: Buffer.from('x') }
    await stores.grants.revoke(grant, revocation)
    expect(await stores.connections.listHalfDeleted(10)).toEqual([])
    expect(await stores.connections.purgeDeleted()).toBe(0)
    await stores.revocations.remove(revocation.id)
    expect(await stores.connections.purgeDeleted()).toBe(1)
    expect(await stores.connections.findById(connection.id)).toBeUndefined()
  })

  test('stores no tokens for a connection that was deleted during its authorization', async () => {
    const connection = await stores.newConnection()
    const authorization = await stores.newAuthorization(connection)
    const { id } = await stores.ensureGrant(connection)
    await stores.connections.markDeleted(connection.id)
    expect(await stores.authorizations.complete(authorization, id, exampleTokens)).toBe('connection_gone')
    expect(await stores.grants.ensure(connection, 'new')).toBeUndefined()
    expect((await stores.grants.findById(id))?.grant.accessToken).toBeNull()
  })
})
