import { createSecretKey, type KeyObject } from 'node:crypto'
import { AuthconnError } from '../errors.ts'
import type { DataKey, DataKeyStore } from '../ports.ts'
import { Secret } from '../secret.ts'
import { type Place, seal, sealedWith, unseal } from './envelope.ts'
import { type KeyEncryptionKeys, unwrapDataKey } from './key-encryption-key.ts'

/** Seals and opens secrets for their place in the database. */
export interface Keyring {
  seal(place: Place, secret: Secret): Promise<Uint8Array>
  /** Makes sure that the next seal in this workspace needs nothing from the database. */
  prepare(workspaceId: string): Promise<void>
  /** Throws sealed_value_damaged. */
  open(place: Place, sealed: Uint8Array): Promise<Secret>
}

/**
 * A keyring over the data keys of all workspaces. Unwrapped keys stay in memory: data keys are never changed,
 * only followed by newer versions, so a cached one cannot be stale.
 */
export function createKeyring(deps: { dataKeys: DataKeyStore; keks: KeyEncryptionKeys }): Keyring {
  const unwrapped = new Map<string, { id: string; bytes: KeyObject }>()
  const current = new Map<string, string>()

  async function remember(dataKey: DataKey) {
    // As an object: from bytes, Node makes one at every use, which takes longer than to open a token.
    const key = { id: dataKey.id, bytes: createSecretKey(await unwrapDataKey(deps.keks, dataKey)) }
    unwrapped.set(key.id, key)
    return key
  }

  async function currentKey(workspaceId: string) {
    const id = current.get(workspaceId)
    const known = id === undefined ? undefined : unwrapped.get(id)
    if (known) return known
    const key = await remember(await deps.dataKeys.getCurrent(workspaceId))
    current.set(workspaceId, key.id)
    return key
  }

  async function keyById(id: string, workspaceId: string) {
    const known = unwrapped.get(id)
    if (known) return known
    const dataKey = await deps.dataKeys.find(id)
    if (dataKey?.workspaceId !== workspaceId) {
      throw new AuthconnError(
        'sealed_value_damaged',
        'A sealed value names a data key that its workspace does not have',
      )
    }
    return remember(dataKey)
  }

  return {
    async seal(place, secret) {
      return seal(place, await currentKey(place.workspace), Buffer.from(secret.reveal(), 'utf8'))
    },
    async prepare(workspaceId) {
      await currentKey(workspaceId)
    },
    async open(place, sealed) {
      const key = await keyById(sealedWith(sealed), place.workspace)
      return new Secret(unseal(place, key, sealed).toString('utf8'))
    },
  }
}
