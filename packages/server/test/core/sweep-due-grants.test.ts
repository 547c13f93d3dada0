import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { ProviderFailure } from '../../src/core/oauth-port.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { exampleTokenSet as tokens, useReplicas } from '../support/replicas.ts'

describeEachDatabase('the sweeper', (database) => {
  const { stores, provider, replica, connectionWithToken, stored, eventsOf } = useReplicas(database)
  const unstopped = new AbortController().signal

  /** Grants of one connection that are due, all others put off. */
  async function dueGrants(count: number) {
    await stores.db.updateTable('grants').set({ refresh_due_at: null }).execute()
    const connection = await stores.newConnection()
    for (let index = 0; index < count; index++)
      await stores.newActiveGrant(connection, { expiresIn: 200 }, `user-${index}`)
    await makeDue(connection.id)
    return connection
  }
  const makeDue = (connectionId: string) =>
    stores.db
      .updateTable('grants')
      .set({ refresh_due_at: new Date(Date.now() - 1000) })
      .where('connection_id', '=', connectionId)
      .execute()
  const grantsOf = async (connectionId: string) =>
    (await stores.grants.list(connectionId, null, { limit: 1000, after: undefined })).grants

  test('refreshes each grant that is due once, shared by the replicas that sweep at once, and no more at a time than it may', async () => {
    const connection = await dueGrants(30)
    let now = 0
    let most = 0
    provider.answer = async () => {
      most = Math.max(most, ++now)
      await sleep(20)
      now--
      return tokens('second')
    }
    const replicas = [replica(), replica(), replica()]
    await Promise.all(replicas.map((vault) => vault.sweepDueGrants(unstopped)))
    await Promise.all(replicas.flatMap((vault) => vault.background))
    expect(provider.calls).toHaveLength(30)
    // Four at a time in each of the three.
    expect(most).toBeLessThanOrEqual(12)
    for (const grant of await grantsOf(connection.id)) {
      expect(grant).toMatchObject({ generation: 2, failureCount: 0 })
      expect(grant.refreshDueAt?.getTime()).toBeGreaterThan(Date.now() + 1_000_000)
    }
    await replicas[0]?.sweepDueGrants(unstopped)
    expect(provider.calls).toHaveLength(30)
  })

  test('leaves the grants of a provider alone that is down, after a few, and goes on with the others', async () => {
    const down = await dueGrants(12)
    const up = await stores.newConnection({
      endpoints: { ...down.endpoints, token_endpoint: 'https://other.example/token' },
    })
    await stores.newActiveGrant(up, { expiresIn: 200 })
    await makeDue(up.id)
    provider.answer = async (client) => {
      if (client.endpoints.token_endpoint === down.endpoints.token_endpoint)
        throw new ProviderFailure('passing', 'HTTP 503', { status: 503 })
      return tokens('second')
    }
    const vault = replica({ clock: () => 0 })
    await vault.sweepDueGrants(unstopped)
    await Promise.all(vault.background)
    expect(provider.calls.length).toBeLessThanOrEqual(5 + 4 + 1)
    expect(vault.refusing()).toEqual(['https://provider.example'])
    expect(await stored(up.name)).toMatchObject({ generation: 2 })

    // A caller of such a grant is told at once, and the provider is spared.
    const calls = provider.calls.length
    await stores.db
      .updateTable('grants')
      .set({ expires_at: new Date(0) })
      .where('connection_id', '=', down.id)
      .execute()
    await expect(vault.issueToken(down.name, { subject: 'user-11' })).rejects.toMatchObject({
      code: 'provider_unavailable',
    })
    expect(provider.calls.length).toBe(calls)
  })

  test('puts back what it claimed beside the one that asks whether a provider is back', async () => {
    const connection = await dueGrants(9)
    provider.answer = async () => {
      throw new ProviderFailure('passing', 'HTTP 503', { status: 503 })
    }
    let now = 0
    const vault = replica({ clock: () => now })
    await vault.sweepDueGrants(unstopped)
    await Promise.all(vault.background)
    await stores.db
      .updateTable('grants')
      .set({ refresh_due_at: new Date(Date.now() - 1000), retry_at: null })
      .where('connection_id', '=', connection.id)
      .execute()
    const calls = provider.calls.length
    now = 60_000
    await vault.sweepDueGrants(unstopped)
    await Promise.all(vault.background)
    expect(provider.calls.length).toBe(calls + 1)
    const due = (await grantsOf(connection.id)).map(({ refreshDueAt }) => refreshDueAt?.getTime() ?? Infinity)
    expect(due.filter((at) => at < Date.now() + 3_000).length).toBeGreaterThanOrEqual(8)
  })

  test('brings forward what waits for a provider that had been left alone, once it answers again', async () => {
    const connection = await dueGrants(6)
    let down = true
    provider.answer = async () => {
      if (down) throw new ProviderFailure('passing', 'HTTP 503', { status: 503, retryAfter: 200 })
      return tokens('second')
    }
    let now = 0
    const vault = replica({ clock: () => now })
    await vault.sweepDueGrants(unstopped)
    await Promise.all(vault.background)
    const waiting = (await grantsOf(connection.id)).filter(({ retryAt }) => retryAt !== null)
    expect(waiting.length).toBeGreaterThanOrEqual(5)
    for (const { retryAt } of waiting) expect(retryAt?.getTime()).toBeGreaterThan(Date.now() + 190_000)

    down = false
    now = 10_000
    const other = await stores.newConnection({ endpoints: connection.endpoints })
    await stores.newActiveGrant(other, { expiresIn: -1 })
    await vault.issueToken(other.name)
    await Promise.all(vault.background)
    for (const { retryAt, refreshDueAt } of await grantsOf(connection.id)) {
      expect(retryAt?.getTime() ?? 0).toBeLessThanOrEqual(Date.now() + 16_000)
      expect(refreshDueAt?.getTime()).toBeLessThan(Date.now() + 16_000)
    }
  })

  test('brings nothing forward over a single failure, and nothing that the provider has asked to wait for long', async () => {
    const connection = await dueGrants(1)
    provider.answer = async () => {
      throw new ProviderFailure('passing', 'HTTP 429', { status: 429, retryAfter: 3000 })
    }
    const vault = replica()
    await vault.sweepDueGrants(unstopped)
    await Promise.all(vault.background)
    provider.answer = async () => tokens('second')
    const other = await stores.newConnection({ endpoints: connection.endpoints })
    await stores.newActiveGrant(other, { expiresIn: -1 })
    await vault.issueToken(other.name)
    await Promise.all(vault.background)
    await stores.grants.bringForward('https://provider.example', 1)
    const [grant] = await grantsOf(connection.id)
    expect(grant?.retryAt?.getTime()).toBeGreaterThan(Date.now() + 2_900_000)
  })

  test('keeps a grant that nobody uses alive only, and refreshes it when its refresh token needs that', async () => {
    const connection = await dueGrants(1)
    const vault = replica({ unusedAfter: 3600 })
    const longAgo = new Date(Date.now() - 7_200_000)
    const inAWeek = new Date(Date.now() + 604_800_000)
    const set = (columns: Partial<Record<'last_used_at' | 'keep_alive_at' | 'refresh_due_at', Date>>) =>
      stores.db.updateTable('grants').set(columns).where('connection_id', '=', connection.id).execute()
    await set({ last_used_at: longAgo, keep_alive_at: inAWeek })
    await vault.sweepDueGrants(unstopped)
    expect(provider.calls).toEqual([])
    expect((await grantsOf(connection.id))[0]?.refreshDueAt).toEqual(inAWeek)

    await set({ refresh_due_at: longAgo, keep_alive_at: longAgo })
    await vault.sweepDueGrants(unstopped)
    await Promise.all(vault.background)
    expect(provider.calls).toHaveLength(1)

    await set({ refresh_due_at: longAgo, last_used_at: new Date(), keep_alive_at: inAWeek })
    await vault.sweepDueGrants(unstopped)
    await Promise.all(vault.background)
    expect(provider.calls).toHaveLength(2)
  })

  test('says of a token that has ended with nothing to refresh it that it has expired', async () => {
    await stores.db.updateTable('grants').set({ refresh_due_at: null }).execute()
    const { name } = await connectionWithToken(-1, { refresh: false })
    const vault = replica()
    await vault.sweepDueGrants(unstopped)
    await Promise.all(vault.background)
    expect(await stored(name)).toMatchObject({ status: 'expired', lastError: { class: 'permanent' } })
    expect(await eventsOf(name)).toEqual(['grant.expired'])
    expect(provider.calls).toEqual([])
  })

  test('takes up what a process left behind that died, as soon as its lease has ended', async () => {
    const connection = await dueGrants(1)
    const [grant] = await grantsOf(connection.id)
    if (!grant) throw new Error('no grant')
    await stores.grants.takeLease({ grantId: grant.id, generation: grant.generation, owner: 'dead' }, 0.3, {
      failures: 0,
    })
    const vault = replica()
    await vault.sweepDueGrants(unstopped)
    expect(provider.calls).toEqual([])
    await sleep(350)
    await vault.sweepDueGrants(unstopped)
    await Promise.all(vault.background)
    expect(provider.calls).toHaveLength(1)
  })

  /** An attempt on the last of some grants that are due, by a process that died. */
  async function interruptOneOf(count: number) {
    const connection = await dueGrants(count)
    const interrupted = (await grantsOf(connection.id)).at(-1)
    if (!interrupted) throw new Error('no grant')
    const { id: grantId, generation } = interrupted
    await stores.grants.takeLease({ grantId, generation, owner: 'dead' }, 0.3, { failures: 0 })
    await sleep(350)
    return grantId
  }
  const claimOne = async () => {
    const { grants } = await stores.grants.claimDue({ limit: 1, except: [], seconds: 30, unusedAfter: null })
    return grants.map(({ id }) => id)
  }

  test('takes up what was interrupted before all else that is due, while a provider may still forgive it', async () => {
    const interrupted = await interruptOneOf(3)
    expect(await claimOne()).toEqual([interrupted])
  })

  test('takes up what was interrupted once more when the one that had claimed it died as well', async () => {
    const interrupted = await interruptOneOf(1)
    expect(await claimOne()).toEqual([interrupted])
    expect(await claimOne()).toEqual([])
    await sleep(2_100)
    expect(await claimOne()).toEqual([interrupted])
  })

  test('claims nothing on which an attempt is under way', async () => {
    const connection = await dueGrants(1)
    const [grant] = await grantsOf(connection.id)
    if (!grant) throw new Error('no grant')
    await stores.grants.takeLease({ grantId: grant.id, generation: grant.generation, owner: 'alive' }, 30, {
      failures: 0,
    })
    expect(await claimOne()).toEqual([])
    expect(await stores.grants.countDue()).toBe(0)
  })

  test('stops between grants when it is told to, and what it had claimed is taken up later', async () => {
    await dueGrants(12)
    const stop = new AbortController()
    provider.answer = async () => {
      stop.abort()
      await sleep(50)
      return tokens('second')
    }
    const vault = replica()
    await vault.sweepDueGrants(stop.signal)
    await Promise.all(vault.background)
    expect(provider.calls.length).toBeLessThanOrEqual(4)
    expect(await stores.grants.countDue()).toBe(8)
  })

  test('writes an event for each change, and not for each attempt', async () => {
    const { name } = await connectionWithToken(-10)
    const { id } = await stored(name)
    const again = () =>
      stores.db
        .updateTable('grants')
        .set({ retry_at: null, expires_at: new Date(0) })
        .where('id', '=', id)
        .execute()
    const failing = () => Promise.reject(new ProviderFailure('passing', 'HTTP 503'))
    const succeeding = async () => tokens('second')
    for (const answer of [succeeding, failing, failing, failing, succeeding, succeeding]) {
      provider.answer = answer
      await replica()
        .issueToken(name)
        .catch(() => undefined)
      await again()
    }
    expect((await eventsOf(name)).sort()).toEqual([
      'grant.recovered',
      'grant.refresh_failed',
      'grant.refreshed',
      'grant.refreshed',
      'grant.refreshed',
    ])
    await stores.grants.revoke(await stored(name), null)
    expect((await eventsOf(name)).at(-1)).toBe('grant.revoked')
  })
})
