import { randomUUID } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import type { AuditFacts } from '../../src/core/audit-port.ts'
import { createKeepAuthorized } from '../../src/core/connections/keep-authorized.ts'
import { createPollDeviceAuthorizations } from '../../src/core/connections/poll-device-authorizations.ts'
import { places } from '../../src/core/crypto/places.ts'
import { AuthconnError } from '../../src/core/errors.ts'
import type { AuthorizedTokens } from '../../src/core/oauth-port.ts'
import { Secret } from '../../src/core/secret.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { exampleTokenSet } from '../support/replicas.ts'
import { silentLog, useStores } from '../support/stores.ts'

describeEachDatabase('tokens that a device code has given', (database) => {
  const stores = useStores(database)
  const given: AuthorizedTokens = { ...exampleTokenSet('consented'), metadata: {}, account: null }
  const world = {
    asked: 0,
    givenBack: 0,
    records: [] as AuditFacts[],
    onAsk: async (): Promise<void> => {},
    onRecord: async (): Promise<void> => {},
  }
  beforeEach(() => {
    Object.assign(world, { asked: 0, givenBack: 0, records: [], onAsk: async () => {}, onRecord: async () => {} })
  })

  /** One process; resolves when a round of it and what it began are over. */
  async function poll(): Promise<void> {
    const background: Promise<unknown>[] = []
    const sleep = async () => {}
    const giveBackTokens = async () => void world.givenBack++
    await createPollDeviceAuthorizations({
      ...stores,
      oauth: {
        async pollDevice() {
          world.asked++
          await world.onAsk()
          return given
        },
      },
      keepAuthorized: createKeepAuthorized({
        ...stores,
        oauth: { findAccount: async () => null },
        giveBackTokens,
        sleep,
        log: silentLog,
      }),
      giveBackTokens,
      audit: {
        async record(facts) {
          await world.onRecord()
          world.records.push(...facts)
        },
      },
      claimSeconds: 30,
      sleep,
      log: silentLog,
      inBackground: (work) => void background.push(work),
    })()
    await Promise.all(background)
  }

  async function begin(): Promise<{
    id: string
    status(): Promise<string | undefined>
    revokeCaller(): Promise<void>
  }> {
    const caller = { ...stores.admin, id: randomUUID(), name: `device-${randomUUID()}` }
    await stores.callers.insert(caller, Buffer.from(caller.id))
    const row = { id: randomUUID(), workspaceId: stores.admin.workspaceId }
    const secrets = await stores.keyring.seal(
      places.authorizationSecrets(row),
      new Secret(JSON.stringify({ deviceCode: 'the device code' })),
    )
    const id = await stores.newDeviceAuthorization(await stores.newConnection(), 0, {
      ...row,
      secrets,
      callerId: caller.id,
    })
    return {
      id,
      status: async () => (await stores.authorizations.find(row.workspaceId, id, caller.id))?.status,
      async revokeCaller() {
        await stores.callers.revoke(row.workspaceId, caller.id)
      },
    }
  }

  test('are not lost for a moment in which the database is away', async () => {
    const { status } = await begin()
    let failures = 3
    world.onRecord = async () => {
      if (failures-- > 0) throw new AuthconnError('audit_unavailable')
    }
    await poll()
    expect(await status()).toBe('completed')
    expect(world).toMatchObject({ asked: 1, givenBack: 0, records: [{ outcome: 'allowed' }] })
  })

  test('are not asked for by another process while the first has them, however long that takes', async () => {
    const { id, status } = await begin()
    world.onRecord = async () => {
      world.onRecord = async () => {}
      // As if the claim had run out.
      await stores.db
        .updateTable('authorizations')
        .set({ next_poll_at: new Date(Date.now() - 60_000) })
        .where('id', '=', id)
        .execute()
      await poll()
    }
    await poll()
    expect(world.asked).toBe(1)
    expect(await status()).toBe('completed')
    expect(world.givenBack).toBe(0)
  })

  test('are given back when the caller is revoked while its provider is asked, and never on record as allowed', async () => {
    const { status, revokeCaller } = await begin()
    world.onAsk = revokeCaller
    await poll()
    expect(await status()).toBe('failed')
    expect(world).toMatchObject({ givenBack: 1, records: [{ outcome: 'failed', reason: 'authorization_over' }] })
  })

  test('are given back when the caller is revoked in the moment before they are stored', async () => {
    const { status, revokeCaller } = await begin()
    world.onRecord = async () => {
      world.onRecord = async () => {}
      await revokeCaller()
    }
    await poll()
    expect(await status()).toBe('failed')
    expect(world).toMatchObject({ givenBack: 1, records: [{ outcome: 'allowed' }, { outcome: 'failed' }] })
  })
})
