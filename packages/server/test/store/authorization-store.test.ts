import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { describeEachDatabase } from '../support/databases.ts'
import { exampleTokens, useStores } from '../support/stores.ts'

describeEachDatabase('the authorization store', (database) => {
  const stores = useStores(database)
  const find = (id: string, caller = stores.admin.id) =>
    stores.authorizations.find(stores.admin.workspaceId, id, caller)

  test('gives an authorization to one exchange only', async () => {
    const id = await stores.newAuthorization(await stores.newConnection())
    const claims = await Promise.all([1, 2, 3, 4].map(() => stores.authorizations.claim(id)))
    expect(claims.filter(Boolean)).toHaveLength(1)
  })

  test('shows it to the caller that began it only', async () => {
    const id = await stores.newAuthorization(await stores.newConnection())
    expect(await find(id)).toMatchObject({ id, status: 'pending', scopes: ['openid'] })
    expect(await find(id, crypto.randomUUID())).toBeUndefined()
    expect(await stores.authorizations.find(crypto.randomUUID(), id, stores.admin.id)).toBeUndefined()
  })

  test('expires, and is not exchanged then', async () => {
    const id = await stores.newAuthorization(await stores.newConnection(), 0.05)
    await sleep(80)
    expect(await find(id)).toMatchObject({ status: 'expired' })
    expect(await stores.authorizations.claim(id)).toBe(false)
  })

  test('is not exchanged for a deleted connection', async () => {
    const connection = await stores.newConnection()
    const id = await stores.newAuthorization(connection)
    await stores.connections.markDeleted(connection.id)
    expect(await stores.authorizations.claim(id)).toBe(false)
  })

  test('drops its secrets when it completes or fails', async () => {
    const connection = await stores.newConnection()
    const completed = await stores.newAuthorization(connection)
    const { id } = await stores.ensureGrant(connection)
    expect(await stores.authorizations.complete(completed, id, exampleTokens)).toBe('stored')
    expect(await find(completed)).toMatchObject({ status: 'completed', secrets: null })
    expect((await stores.grants.findById(id))?.grant).toMatchObject({ status: 'active', scope: 'openid email' })

    const failed = await stores.newAuthorization(connection)
    expect(await stores.authorizations.fail(failed, 'denied')).toBe(true)
    expect(await stores.authorizations.fail(failed, 'again')).toBe(false)
    expect(await find(failed)).toMatchObject({ status: 'failed', failure: 'denied', secrets: null })
    expect(await stores.authorizations.claim(failed)).toBe(false)
  })

  test('stores no tokens for one that was cancelled meanwhile, and says so again', async () => {
    const connection = await stores.newConnection()
    const authorization = await stores.newAuthorization(connection)
    const { id } = await stores.ensureGrant(connection)
    await stores.authorizations.claim(authorization)
    await stores.authorizations.fail(authorization, 'cancelled')
    for (const _attempt of [1, 2]) {
      expect(await stores.authorizations.complete(authorization, id, exampleTokens)).toBe('cancelled')
    }
    expect((await stores.grants.findById(id))?.grant).toMatchObject({ status: 'pending', accessToken: null })
    expect(await find(authorization)).toMatchObject({ status: 'failed', failure: 'cancelled' })
  })

  test('says stored again when it is completed again, also where its tokens were sealed again meanwhile', async () => {
    const connection = await stores.newConnection()
    const authorization = await stores.newAuthorization(connection)
    const { id } = await stores.ensureGrant(connection)
    expect(await stores.authorizations.complete(authorization, id, exampleTokens)).toBe('stored')
    const before = await stores.grants.findById(id)
    const again = Buffer.from('sealed again')
    await stores.db.updateTable('grants').set({ access_token: again }).where('id', '=', id).execute()
    expect(await stores.authorizations.complete(authorization, id, exampleTokens)).toBe('stored')
    expect((await stores.grants.findById(id))?.grant.generation).toBe(before?.grant.generation)
  })

  test('keeps no refresh token of a former authorization', async () => {
    const connection = await stores.newConnection()
    const grant = await stores.newActiveGrant(connection, { expiresIn: 60 })
    expect(grant.refreshToken).not.toBeNull()
    const again = await stores.newActiveGrant(connection, { expiresIn: 60, refresh: false })
    expect(again).toMatchObject({ id: grant.id, refreshToken: null })
  })

  test('purges only what ended more than a day ago', async () => {
    const connection = await stores.newConnection()
    const old = await stores.newAuthorization(connection, -86_401)
    const recent = await stores.newAuthorization(connection, -60)
    expect(await stores.authorizations.purgeEnded()).toBeGreaterThanOrEqual(1)
    expect(await find(old)).toBeUndefined()
    expect(await find(recent)).toMatchObject({ status: 'expired' })
  })

  describe('of one by a device code', () => {
    const claim = (limit = 10) => stores.authorizations.claimPolls(limit, 30)
    const ids = async (claimed: ReturnType<typeof claim>) => (await claimed).map(({ authorization: { id } }) => id)

    test('gives each question to one process, and the next not before the interval is over', async () => {
      const id = await stores.newDeviceAuthorization(await stores.newConnection(), 0)
      const claimed = (await Promise.all([1, 2, 3, 4].map(() => ids(claim())))).flat()
      expect(claimed).toEqual([id])
      expect(await ids(claim())).toEqual([])
      await stores.authorizations.pollAgain(id, 60)
      expect(await ids(claim())).toEqual([])
      await stores.authorizations.pollAgain(id, 0)
      expect(await claim()).toMatchObject([
        { interval: 0, authorization: { id, redirectUri: null, stateHash: null, status: 'pending' } },
      ])
      await stores.authorizations.fail(id, 'over')
    })

    test('gives a question that a process died over to another, no sooner than the provider allows', async () => {
      const id = await stores.newDeviceAuthorization(await stores.newConnection(), 45)
      const due = (seconds: number) =>
        stores.db
          .updateTable('authorizations')
          .set({ next_poll_at: new Date(Date.now() - seconds * 1000) })
          .where('id', '=', id)
          .execute()
      await due(1)
      expect(await ids(claim())).toEqual([id])
      const row = await stores.db
        .selectFrom('authorizations')
        .select('next_poll_at')
        .where('id', '=', id)
        .executeTakeFirstOrThrow()
      // The interval of this one is longer than the claim.
      expect(row.next_poll_at?.getTime()).toBeGreaterThan(Date.now() + 40_000)
      await due(1)
      expect(await ids(claim())).toEqual([id])
      await stores.authorizations.fail(id, 'over')
    })

    test('gives none that is over, expired, of a deleted connection, or whose caller may not call any more', async () => {
      const connection = await stores.newConnection()
      const gone = await stores.newConnection()
      const caller = { ...stores.admin, id: crypto.randomUUID(), name: 'device', permissions: [] }
      await stores.callers.insert(caller, Buffer.alloc(32, 7))
      const make = (of = connection, given = {}) => stores.newDeviceAuthorization(of, 0, given)
      const [failed, completed, expired] = [await make(), await make(), await make()]
      await make(gone)
      await make(connection, { callerId: caller.id })
      await stores.authorizations.fail(failed, 'denied', 'authorization_denied')
      const { id } = await stores.ensureGrant(connection)
      expect(await stores.authorizations.complete(completed, id, exampleTokens)).toBe('stored')
      expect((await stores.grants.findById(id))?.grant.redirectUri).toBeNull()
      await stores.db
        .updateTable('authorizations')
        .set({ expires_at: new Date() })
        .where('id', '=', expired)
        .execute()
      await stores.connections.markDeleted(gone.id)
      await stores.callers.revoke(stores.admin.workspaceId, caller.id)
      expect(await ids(claim())).toEqual([])
      expect(await find(failed)).toMatchObject({ failureCode: 'authorization_denied' })
    })
  })

  test('remembers the redirect URI with the grant', async () => {
    const connection = await stores.newConnection()
    const { id } = await stores.ensureGrant(connection)
    await stores.authorizations.complete(await stores.newAuthorization(connection), id, exampleTokens)
    expect((await stores.grants.findById(id))?.grant.redirectUri).toBe('http://127.0.0.1:8080/callback')
  })
})
