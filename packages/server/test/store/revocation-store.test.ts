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
    const claims = await Promise.all([1, 2, 3, 4].map(() => stores.revocations.claimDue(10, 30)))
    const claimed = claims.flat().map((pending) => pending.id)
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
    expect(await stores.revocations.claimDue(10, 30)).toEqual([])
    await sleep(150)
    expect(await stores.revocations.claimDue(10, 30)).toMatchObject([{ id, attempts: 2 }])
  })
})
