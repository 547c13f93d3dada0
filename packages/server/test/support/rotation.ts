import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { createDataKeyStore } from '../../src/adapters/postgres/data-key-store.ts'
import { createKeyStore } from '../../src/adapters/postgres/key-store.ts'
import { createSealedStore } from '../../src/adapters/postgres/sealed-store.ts'
import { readKeyStatus } from '../../src/core/crypto/key-status.ts'
import { createKeyring } from '../../src/core/crypto/keyring.ts'
import { places } from '../../src/core/crypto/places.ts'
import { createResealValues } from '../../src/core/crypto/reseal-values.ts'
import { createRotateDataKeys } from '../../src/core/crypto/rotate-data-keys.ts'
import { createRotateKek } from '../../src/core/crypto/rotate-kek.ts'
import { createVerifyValues } from '../../src/core/crypto/verify-values.ts'
import type { SealedStore } from '../../src/core/key-port.ts'
import { Secret } from '../../src/core/secret.ts'
import type { TestDatabase } from './databases.ts'
import { silentLog, useStores } from './stores.ts'

const quiet = () => {}

/** Stores, what rotates the keys over them, and values in every sealed column. */
export function useRotation(database: TestDatabase) {
  const stores = useStores(database)
  /** As another process has them, with nothing in memory. */
  const tools = (given: { keks?: typeof stores.keks; values?: Partial<SealedStore> } = {}) => {
    const keks = given.keks ?? stores.keks
    const keys = createKeyStore(stores.db)
    const values = { ...createSealedStore(stores.db), ...given.values }
    const keyring = createKeyring({ dataKeys: createDataKeyStore(stores.db), keks, log: silentLog })
    return {
      keys,
      values,
      keyring,
      rotateKek: createRotateKek({ keys, keks }),
      rotateDataKeys: (olderThan = 0, workspace?: string) =>
        createRotateDataKeys({ keys, keks })({ workspace, olderThan }, quiet),
      reseal: () => createResealValues({ values, keyring, settleSeconds: 0, sleep })(quiet),
      verify: () => createVerifyValues({ keys, values, keyring, keks })(quiet),
      status: () => readKeyStatus({ keys, values, keks }),
    }
  }

  /** A connection with a grant, a former client secret, an authorization and a revocation: something in every column. */
  async function fillEveryColumn() {
    stores.keyring.distrust(stores.admin.workspaceId)
    const connection = await stores.newConnection()
    const grant = await stores.newActiveGrant(connection, { expiresIn: 3600 })
    const { workspaceId } = connection
    const rows = {
      clientSecret: connection.id,
      formerClientSecret: connection.id,
      accessToken: grant.id,
      refreshToken: grant.id,
      authorizationSecrets: await stores.newAuthorization(connection),
      revocationTokens: randomUUID(),
    }
    await stores.revocations.insert({
      ...{ id: rows.revocationTokens, workspaceId, connectionId: connection.id, grantId: grant.id },
      tokens: Buffer.from('to be sealed'),
    })
    for (const name of Object.keys(places) as (keyof typeof places)[]) {
      const place = places[name]
      const sealed = await stores.keyring.seal(place({ id: rows[name], workspaceId }), new Secret(`the ${name}`))
      await sql`update ${sql.table(place.table)} set ${sql.ref(place.column)} = ${sealed} where id = ${rows[name]}`.execute(
        stores.db,
      )
    }
    return { rows, workspaceId, connection, grant }
  }

  async function read(name: keyof typeof places, row: string, keyring = tools().keyring) {
    const value = await createSealedStore(stores.db).find(places[name], row)
    if (!value) throw new Error(`there is no ${name}`)
    const secret = await keyring.open(places[name]({ id: row, workspaceId: value.workspaceId }), value.sealed)
    return { ...value, secret: secret.reveal() }
  }

  return { stores, tools, fillEveryColumn, read }
}
