import { AuthconnError } from '../errors.ts'
import type { DataKey, DataKeyStore, Log } from '../ports.ts'
import { Secret } from '../secret.ts'
import { type Place, seal, sealedWith, unseal } from './envelope.ts'
import type { KeyEncryptionKeys } from './key-encryption-key.ts'
import { createSealingKeys, type SealingLimits, sealingLimits } from './sealing-keys.ts'
import { createUnwrappedKeys, type UnwrappedKey } from './unwrapped-keys.ts'

/** Seals and opens secrets for their place in the database. */
export interface Keyring {
  seal(place: Place, secret: Secret): Promise<Uint8Array>
  /** Makes sure that seals in this workspace need nothing from the database for a while. */
  prepare(workspaceId: string): Promise<void>
  /** Has the next seal in this workspace look for the newest data key. */
  distrust(workspaceId: string): void
  /** Throws sealed_value_damaged. */
  open(place: Place, sealed: Uint8Array): Promise<Secret>
  /** The same at once; undefined where its data key is not in memory. */
  openNow(place: Place, sealed: Uint8Array): Secret | undefined
}

/** Data keys that are kept in memory unwrapped. Each is some hundred bytes, and a workspace has few. */
const mostUnwrapped = 10_000

/** A keyring over the data keys of all workspaces. */
export function createKeyring(deps: {
  dataKeys: DataKeyStore
  keks: KeyEncryptionKeys
  log: Pick<Log, 'info' | 'warn'>
  limits?: Partial<SealingLimits & { unwrapped: number }>
}): Keyring {
  const { dataKeys, keks, log } = deps
  const unwrapped = createUnwrappedKeys(keks, deps.limits?.unwrapped ?? mostUnwrapped)
  const limits = { ...sealingLimits, ...deps.limits }
  const sealingKeys = createSealingKeys({ dataKeys, keks, unwrapped, log, limits })

  return {
    async seal(place, secret) {
      return seal(place, await sealingKeys.take(place.workspace), Buffer.from(secret.reveal(), 'utf8'))
    },
    prepare: sealingKeys.prepare,
    distrust: sealingKeys.distrust,
    async open(place, sealed) {
      const id = sealedWith(sealed)
      return openWith(await unwrapped.get(id, () => load(id)), place, sealed)
    },
    openNow(place, sealed) {
      const key = unwrapped.find(sealedWith(sealed))
      return key && openWith(key, place, sealed)
    },
  }

  function openWith(key: UnwrappedKey, place: Place, sealed: Uint8Array): Secret {
    if (key.workspaceId !== place.workspace) throw foreign()
    return new Secret(unseal(place, key, sealed).toString('utf8'))
  }

  async function load(id: string): Promise<DataKey> {
    const dataKey = await dataKeys.find(id)
    if (!dataKey) throw foreign()
    return dataKey
  }
}

function foreign(): AuthconnError {
  return new AuthconnError(
    'sealed_value_damaged',
    'A sealed value names a data key that its workspace does not have',
  )
}
