import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { createDataKeyStore } from '../../src/adapters/postgres/data-key-store.ts'
import { createKeyStore } from '../../src/adapters/postgres/key-store.ts'
import { createSealedStore } from '../../src/adapters/postgres/sealed-store.ts'
import { createKeyring } from '../../src/core/crypto/keyring.ts'
import { places } from '../../src/core/crypto/places.ts'
import { createResealValues } from '../../src/core/crypto/reseal-values.ts'
import { createRotateDataKeys } from '../../src/core/crypto/rotate-data-keys.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { exampleTokenSet, useReplicas } from '../support/replicas.ts'
import { silentLog } from '../support/stores.ts'

describeEachDatabase('a process whose data key is let go of while it waits for a provider', (database) => {
  const { stores, provider, replica, connectionWithToken, stored } = useReplicas(database)

  /** All that another process does in an hour, so to speak: nothing is left that knows the former data keys. */
  async function rotateAndDrop() {
    const [keys, values] = [createKeyStore(stores.db), createSealedStore(stores.db)]
    const { keks } = stores
    const keyring = createKeyring({ dataKeys: createDataKeyStore(stores.db), keks, log: silentLog })
    await createRotateDataKeys({ keys, keks })({ workspace: undefined, olderThan: 0 }, () => {})
    await createResealValues({ values, keyring, settleSeconds: 0, sleep })(() => {})
    await keys.dropUnused(-1)
    expect((await keys.count()).former).toBe(0)
  }

  test('seals the refreshed tokens again with the data key of today, and loses nothing', async () => {
    const { name } = await connectionWithToken(-10)
    provider.answer = async () => {
      await rotateAndDrop()
      return exampleTokenSet('second')
    }
    const { accessToken } = await replica().issueToken(name)
    expect(accessToken.reveal()).toBe('second access token')
    const grant = await stored(name)
    const { rows } =
      await sql`select data_keys.id from data_keys join grants on access_token_data_key = data_keys.id
      where grants.id = ${grant.id}`.execute(stores.db)
    expect(rows).toHaveLength(1)
    const opened =
      grant.refreshToken && (await stores.keyring.open(places.refreshToken(grant), grant.refreshToken))
    expect(opened?.reveal()).toBe('second refresh token')
    expect(provider.calls).toEqual(['first refresh token'])
    expect(provider.givenBack).toEqual([])
  })
})
