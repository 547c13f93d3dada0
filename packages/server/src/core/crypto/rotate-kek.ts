import { AuthconnError } from '../errors.ts'
import type { KeyStore, WrappedKey } from '../key-port.ts'
import { type KeyEncryptionKeys, unwrapDataKey } from './key-encryption-key.ts'

export interface KekRotation {
  /** The current key-encryption key, which has wrapped all but the damaged. */
  kekId: string
  rewrapped: number
  damaged: DamagedKey[]
}

/** A data key that does not unwrap; everything that is sealed with it is lost unless a backup has it. */
export interface DamagedKey {
  kind: WrappedKey['kind']
  id: string
  workspaceId: string
  reason: string
}

/** Keys that are wrapped at once: with a KMS each takes a call or two. */
const atOnce = 8

/**
 * Wraps every data key and the audit log's key with the current key-encryption key. What they are the keys of does not
 * change, so nobody who uses them notices. May be ended anywhere, begun again, and run in several places at once.
 * Throws key_encryption_key_wrong where a key-encryption key is not among those that were given.
 */
export function createRotateKek(deps: {
  keys: Pick<KeyStore, 'listWrapped' | 'rewrap'>
  keks: KeyEncryptionKeys
}): (tell: (rewrapped: number) => void) => Promise<KekRotation> {
  const { keys, keks } = deps
  const { current } = keks

  return async function rotateKek(tell) {
    const damaged = new Map<string, DamagedKey>()
    let rewrapped = 0
    // Again until nothing is found: a vault that has another current key may make data keys meanwhile.
    for (;;) {
      const found = await pass()
      if (found === 0) return { kekId: current.id, rewrapped, damaged: [...damaged.values()] }
    }

    async function pass(): Promise<number> {
      let found = 0
      let after: WrappedKey | undefined
      for (;;) {
        const page = await keys.listWrapped({ notBy: current.id, after, limit: atOnce })
        after = page.at(-1)
        if (!after) return found
        const todo = page.filter(({ id }) => !damaged.has(id))
        found += todo.length
        const done = await Promise.all(todo.map(rewrap))
        rewrapped += done.filter(Boolean).length
        tell(rewrapped)
      }
    }

    async function rewrap(key: WrappedKey): Promise<boolean> {
      try {
        const bytes = await unwrapDataKey(keks, key)
        const wrapped = await current.wrap(key.workspaceId, key.id, bytes)
        return await keys.rewrap(key, { kekId: current.id, wrapped })
      } catch (error) {
        damaged.set(key.id, toDamagedKey(keks, key, error))
        return false
      }
    }
  }
}

/** Throws what says nothing against the key itself. */
export function toDamagedKey(keks: KeyEncryptionKeys, key: WrappedKey, error: unknown): DamagedKey {
  const isItsOwn =
    error instanceof AuthconnError && error.code === 'key_encryption_key_wrong' && keks.find(key.kekId)
  if (!isItsOwn) throw error
  return { kind: key.kind, id: key.id, workspaceId: key.workspaceId, reason: error.message }
}
