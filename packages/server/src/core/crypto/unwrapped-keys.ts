import { createSecretKey, type KeyObject } from 'node:crypto'
import type { DataKey } from '../ports.ts'
import { type KeyEncryptionKeys, unwrapDataKey } from './key-encryption-key.ts'

/** A data key as it is used. It is written nowhere: what is not in memory is unwrapped again. */
export interface UnwrappedKey {
  id: string
  workspaceId: string
  bytes: KeyObject
}

export interface UnwrappedKeys {
  find(id: string): UnwrappedKey | undefined
  /** Unwraps what `load` brings, once for all who ask meanwhile. Throws what `load` and unwrapDataKey throw. */
  get(id: string, load: () => Promise<DataKey>): Promise<UnwrappedKey>
}

/**
 * The data keys in memory, at most so many: those used longest ago go first. A data key never changes, it is only followed
 * by others, so what is here cannot be stale.
 */
export function createUnwrappedKeys(keks: KeyEncryptionKeys, most: number): UnwrappedKeys {
  const known = new Map<string, UnwrappedKey>()
  const coming = new Map<string, Promise<UnwrappedKey>>()

  return {
    find,
    get(id, load) {
      const key = find(id)
      if (key) return Promise.resolve(key)
      const awaited = coming.get(id) ?? unwrap(load).finally(() => coming.delete(id))
      coming.set(id, awaited)
      return awaited
    },
  }

  function find(id: string): UnwrappedKey | undefined {
    const key = known.get(id)
    // A Map keeps the order in which its entries were set. With room to spare, order is of no use.
    if (key && known.size > most / 2) {
      known.delete(id)
      known.set(id, key)
    }
    return key
  }

  async function unwrap(load: () => Promise<DataKey>): Promise<UnwrappedKey> {
    const dataKey = await load()
    const bytes = await unwrapDataKey(keks, dataKey)
    // As an object: from bytes, Node makes one at every use, which takes longer than to open a token.
    const key = { id: dataKey.id, workspaceId: dataKey.workspaceId, bytes: createSecretKey(bytes) }
    known.set(key.id, key)
    for (const oldest of known.keys()) {
      if (known.size <= most) break
      known.delete(oldest)
    }
    return key
  }
}
