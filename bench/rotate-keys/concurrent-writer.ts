import { setTimeout as sleep } from 'node:timers/promises'
import { createDataKeyStore } from '../../packages/server/src/adapters/postgres/data-key-store.ts'
import type { Database } from '../../packages/server/src/adapters/postgres/database.ts'
import { createGrantStore } from '../../packages/server/src/adapters/postgres/grant-store.ts'
import type { KeyEncryptionKeys } from '../../packages/server/src/core/crypto/key-encryption-key.ts'
import { createKeyring } from '../../packages/server/src/core/crypto/keyring.ts'
import { places } from '../../packages/server/src/core/crypto/places.ts'
import { Secret } from '../../packages/server/src/core/secret.ts'
import { anyOf } from '../support/any-of.ts'
import { silent } from '../support/filled-vault.ts'

export interface WrittenGrant {
  id: string
  workspaceId: string
  subject: string
  /** The last token that was written for it. */
  token: string | undefined
}

/** Writes new tokens for grants as a refresh does, one after the other: by lease and compare-and-set, on the vault's own stores. */
export function startWriter(db: Database, keks: KeyEncryptionKeys, grants: WrittenGrant[]) {
  const store = createGrantStore(db)
  const keyring = createKeyring({ dataKeys: createDataKeyStore(db), keks, log: silent })
  let isOver = false
  let writes = 0

  const write = async () => {
    while (!isOver) {
      const grant = anyOf(grants)
      const found = await store.findById(grant.id)
      if (!found) throw new Error('a grant is gone')
      const lease = { grantId: grant.id, generation: found.grant.generation, owner: 'writer' }
      await store.takeLease(lease, 10, { failures: 0, forced: true })
      const token = `written-${++writes}`
      const [accessToken, refreshToken] = await Promise.all([
        keyring.seal(places.accessToken(grant), new Secret(token)),
        keyring.seal(places.refreshToken(grant), new Secret(`refresh-${token}`)),
      ])
      const saved = await store.saveRefreshed(lease, {
        ...{
          accessToken,
          refreshToken,
          tokenType: 'Bearer',
          scope: null,
          expiresIn: 86_400,
          expiryAssumed: false,
        },
        ...{ refreshTokenExpiresIn: null, refreshDueIn: 82_800, keepAliveIn: 604_800, age: 0 },
      })
      if (!saved) throw new Error('a write that nobody was in the way of changed nothing')
      grant.token = token
      await sleep(5)
    }
  }
  const running = write()
  running.catch(() => undefined)
  return {
    async end(): Promise<number> {
      isOver = true
      await running
      return writes
    },
  }
}
