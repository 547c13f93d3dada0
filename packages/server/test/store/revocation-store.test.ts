import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { describeEachDatabase } from '../support/databases.ts'
import { useStores } from '../support/stores.ts'

describeEachDatabase('the revocation store', (database) => {
  const stores = useStores(database)

  async function queue() {
    const grant = await stores.newActiveGrant(await stores.newConnection(), { expiresIn: 60 })
    const revocation = { id: crypto.randomUUID(), tokens: Buffer.from('sealed') }
    await stores.grants.revoke(grant, revocation)
    return revocation.id
  }

  test('gives each revocation to one of those who claim at once', async () => {
    const ids = [await queue(), await queue(), await queue()]
    const claims = await Promise.all([1, 2, 3, 4, 5].map(() => stores.revocations.claimDue(30)))
    const claimed = claims.flatMap((pending) => (pending ? [pending.id] : []))
    expect(claimed.sort()).toEqual([...ids].sort())
    for (const id of ids) await stores.revocations.remove(id)
  })

  test('gives it again when the one who claimed it died', async () => {
    const id = await queue()
    expect(await stores.revocations.claim(id, 0.05)).toMatchObject({ attempts: 1 })
    expect(await stores.revocations.claim(id, 30)).toBeUndefined()
    await sleep(80)
    expect(await stores.revocations.claim(id, 30)).toMatchObject({ id, attempts: 2 })
    await stores.revocations.remove(id)
  })

  test('waits as long as it was rescheduled for', async () => {
    const id = await queue()
    await stores.revocations.claim(id, 30)
    await stores.revocations.reschedule(id, 0.1, 'HTTP 503')
    expect(await stores.revocations.claimDue(30)).toBeUndefined()
    await sleep(150)
    expect(await stores.revocations.claimDue(30)).toMatchObject({ id, attempts: 2 })
  })

  test('queues nothing for a grant that is gone', async () => {
    const connection = await stores.newConnection()
    const grant = await stores.newActiveGrant(connection, { expiresIn: 60 })
    const revocation = {
      id: crypto.randomUUID(),
      workspaceId: connection.workspaceId,
      connectionId: connection.id,
      grantId: grant.id,
      tokens: Buffer.from('sealed'),
    }
    expect(await stores.revocations.insert(revocation)).toBe(true)
    expect(await stores.revocations.findForGrant(grant.id)).toEqual({ lastError: null })
    expect((await stores.connections.find(connection.workspaceId, connection.name))?.pendingRevocations).toBe(1)
    await stores.revocations.reschedule(revocation.id, 60, 'HTTP 503')
    expect(await stores.revocations.findForGrant(grant.id)).toEqual({ lastError: 'HTTP 503' })
    await stores.revocations.remove(revocation.id)
    expect(await stores.revocations.findForGrant(grant.id)).toBeUndefined()
    const elsewhere = { ...revocation, id: crypto.randomUUID(), grantId: crypto.randomUUID() }
    expect(await stores.revocations.insert(elsewhere)).toBe(false)
  })
})
