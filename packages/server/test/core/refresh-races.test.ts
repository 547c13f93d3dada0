import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createUpdateConnection } from '../../src/core/connections/update-connection.ts'
import { ProviderFailure } from '../../src/core/oauth-port.ts'
import { Secret } from '../../src/core/secret.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { exampleTokenSet as tokens, useReplicas } from '../support/replicas.ts'

describeEachDatabase('a refresh meets', (database) => {
  const { stores, provider, replica, connectionWithToken, stored, passTime, backdateRejection } =
    useReplicas(database)
  const refusal = () =>
    Promise.reject(new ProviderFailure('client', 'invalid_client', { oauthError: 'invalid_client' }))

  test('a refresh token that was replaced meanwhile, and never sends the one before again', async () => {
    const connection = await connectionWithToken(200)
    const seen = await stored(connection.name)
    provider.answer = async () => {
      throw new ProviderFailure('unintelligible', 'no usable access_token', { rotated: new Secret('rotated') })
    }
    await replica()
      .refreshGrant(connection, seen)
      .catch(() => undefined)
    await passTime(connection.name)
    provider.answer = async () => tokens('second')
    // As the sweeper does, with the grant as it was when it was claimed.
    await replica().refreshGrant(connection, seen)
    expect(provider.calls).toEqual(['first refresh token'])
    await replica().refreshGrant(connection, await stored(connection.name))
    expect(provider.calls).toEqual(['first refresh token', 'rotated'])
  })

  test('an update of the client secret, which the refusal of the former one does not stop', async () => {
    const connection = await connectionWithToken(-10)
    const updateConnection = createUpdateConnection(stores)
    provider.answer = async () => {
      await updateConnection(stores.admin, connection.name, { client_secret: 'right', overlap: 0 })
      return refusal()
    }
    await expect(replica().issueToken(connection.name)).rejects.toMatchObject({ code: 'client_rejected' })
    const { blocked, refreshDueAt } = await stored(connection.name)
    expect(blocked).toBe(false)
    expect(refreshDueAt?.getTime()).toBeLessThan(Date.now() + 2000)
  })

  test('its own update of the same client secret twice, and keeps the former one', async () => {
    const connection = await stores.newConnection()
    const updateConnection = createUpdateConnection(stores)
    for (let i = 0; i < 2; i++) await updateConnection(stores.admin, connection.name, { client_secret: 'next' })
    const found = await stores.connections.findById(connection.id)
    const { places } = await import('../../src/core/crypto/places.ts')
    const former =
      found?.formerClientSecret &&
      (await stores.keyring.open(places.formerClientSecret(found), found.formerClientSecret))
    expect(former?.reveal()).toBe('the client secret')
  })

  test('a former client secret only as long as it overlaps', async () => {
    const connection = await connectionWithToken(-10)
    await createUpdateConnection(stores)(stores.admin, connection.name, { client_secret: 'next' })
    const asked: string[] = []
    provider.answer = async (client) => {
      const { credential } = client
      const secret = credential.kind === 'secret' ? credential.secret.reveal() : 'a key'
      asked.push(secret)
      return secret === 'next' ? refusal() : tokens('second')
    }
    await stores.db
      .updateTable('connections')
      .set({ former_client_secret_until: new Date(Date.now() - 1000) })
      .where('id', '=', connection.id)
      .execute()
    await expect(replica().issueToken(connection.name)).rejects.toMatchObject({ code: 'client_rejected' })
    expect(asked).toEqual(['next'])
    expect(await stores.connections.forgetFormerSecrets()).toBe(1)
  })

  test('a client that is accepted again, which sets the other grants of the connection free', async () => {
    const connection = await connectionWithToken(-10)
    await stores.newActiveGrant(connection, { expiresIn: -10 }, 'alice')
    provider.answer = refusal
    for (const subject of ['', 'alice'])
      await replica()
        .issueToken(connection.name, { subject })
        .catch(() => undefined)
    await backdateRejection(connection.name)
    provider.answer = async () => tokens('second')
    const vault = replica()
    await vault.issueToken(connection.name, { force: true })
    await Promise.all(vault.background)
    const { grants } = await stores.grants.list(connection.id, null, { limit: 9, after: undefined })
    expect(grants.map(({ blocked }) => blocked)).toEqual([false, false])
  })

  test('a revocation while its caller waits, who is not served what was revoked', async () => {
    const slow = await connectionWithToken(30)
    provider.answer = async () => {
      await stores.grants.revoke(await stored(slow.name), null)
      await sleep(1500)
      return tokens('second')
    }
    await expect(replica().issueToken(slow.name, { maxWait: 1 })).rejects.toMatchObject({ code: 'grant_revoked' })
  })

  test('the loss of its lease, and tells its callers what comes of whoever has it', async () => {
    const { name } = await connectionWithToken(-10)
    let first = true
    const other = replica()
    let taken: Promise<unknown> = Promise.resolve()
    provider.answer = async () => {
      if (!first) {
        await sleep(400)
        return tokens('second')
      }
      first = false
      await passTime(name)
      taken = other.issueToken(name)
      await sleep(100)
      throw new ProviderFailure('passing', 'HTTP 503')
    }
    const token = await replica({ grants: { renewLeases: async () => {} } }).issueToken(name)
    expect(token.accessToken.reveal()).toBe('second access token')
    await taken
    expect(provider.calls).toHaveLength(2)
  })

  test('a renewal that hangs, and keeps its lease by the next', async () => {
    const { name } = await connectionWithToken(-10)
    let renewals = 0
    const grants = {
      renewLeases(...given: Parameters<typeof stores.grants.renewLeases>) {
        renewals++
        return renewals === 1 ? new Promise<void>(() => {}) : stores.grants.renewLeases(...given)
      },
    }
    provider.answer = async () => {
      await sleep(5_500)
      return tokens('second')
    }
    await Promise.all([replica({ grants }).issueToken(name), sleep(100).then(() => replica().issueToken(name))])
    expect(provider.calls).toHaveLength(1)
  }, 15_000)

  test('a provider that is left alone here while another replica is asking it, and follows that one', async () => {
    const { name } = await connectionWithToken(-10)
    const down = await Promise.all(Array.from({ length: 5 }, () => connectionWithToken(-10)))
    const here = replica()
    provider.answer = () => Promise.reject(new ProviderFailure('passing', 'HTTP 503', { status: 503 }))
    for (const each of down) await here.issueToken(each.name).catch(() => undefined)
    expect(here.refusing()).toHaveLength(1)
    provider.answer = async () => {
      await sleep(300)
      return tokens('second')
    }
    const there = replica().issueToken(name)
    await sleep(100)
    expect((await here.issueToken(name)).accessToken.reveal()).toBe('second access token')
    await there
  })

  test('a failure elsewhere, which is the answer here too, also to one that is forced', async () => {
    const { name } = await connectionWithToken(3000)
    provider.answer = async () => {
      await sleep(150)
      return refusal()
    }
    const outcomes = await Promise.allSettled(
      Array.from({ length: 4 }, () => replica().issueToken(name, { force: true })),
    )
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { code: 'client_rejected' } })
    expect(provider.calls).toHaveLength(1)
  })
})
