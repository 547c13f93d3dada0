import { AuthconnError } from '../errors.ts'
import type { DataKey, DataKeyStore, Log } from '../ports.ts'
import { createDataKey, type KeyEncryptionKeys } from './key-encryption-key.ts'
import type { UnwrappedKey, UnwrappedKeys } from './unwrapped-keys.ts'

export interface SealingKeys {
  /** The data key to seal the next value of a workspace with; that use of it is counted. */
  take(workspaceId: string): Promise<UnwrappedKey>
  /**
   * Makes sure that the next thousands of takes succeed without the database, if they come soon. While a KMS is away that has
   * to unwrap the newest data key, the one at hand will do. Throws what the database and the KMS fail by.
   */
  prepare(workspaceId: string): Promise<void>
  /** Has the next take look for the newest data key. */
  distrust(workspaceId: string): void
}

export interface SealingLimits {
  /**
   * Values that are sealed with one data key. NIST SP 800-38D, 8.3, sets 2^32 as the most for random nonces of 96 bits; at a
   * quarter of that, two of them are the same with a probability of 2^-37.
   */
  usesOfKey: number
  /** Uses that a process takes from the count at a time, since a write for each seal would be dear. */
  usesAtOnce: number
  /** Milliseconds after which a process looks whether its data key is still the newest. */
  trustMs: number
  /** Workspaces whose newest key is remembered. */
  workspaces: number
}

export const sealingLimits: SealingLimits = {
  usesOfKey: 2 ** 30,
  usesAtOnce: 2 ** 16,
  trustMs: 10_000,
  workspaces: 10_000,
}

/** When a data key was the newest that is not to be trusted to be there any more. */
const never = Number.NEGATIVE_INFINITY

interface Sealing {
  key: UnwrappedKey
  /** Of the uses that this process has reserved. */
  left: number
  /** When it was the newest, by performance.now(). */
  seenAt: number
}

/**
 * The newest data key of each workspace. Uses are reserved in the database in blocks, so their count there is never less
 * than what was used; what a process has not used when it ends is given up. A key that has no more to give is followed by a
 * new one before anything else is sealed.
 */
export function createSealingKeys(deps: {
  dataKeys: DataKeyStore
  keks: KeyEncryptionKeys
  unwrapped: UnwrappedKeys
  log: Pick<Log, 'info' | 'warn'>
  limits: SealingLimits
}): SealingKeys {
  const { dataKeys, limits } = deps
  const known = new Map<string, Sealing>()
  const coming = new Map<string, Promise<Sealing>>()

  return {
    async take(workspaceId) {
      for (;;) {
        const sealing = await soon(workspaceId)
        // Others who waited for the same block may have used it up.
        if (sealing.left === 0) continue
        sealing.left--
        return sealing.key
      }
    },
    async prepare(workspaceId) {
      const sealing = known.get(workspaceId)
      if (sealing && isTrusted(sealing) && hasEnough(sealing)) return
      try {
        await renew(workspaceId)
      } catch (error) {
        if (!(sealing && hasEnough(sealing) && !isDistrusted(sealing) && isKmsAway(error))) throw error
        warnOfFormer(workspaceId, error)
      }
    },
    distrust(workspaceId) {
      const sealing = known.get(workspaceId)
      if (sealing) sealing.seenAt = never
    },
  }

  async function soon(workspaceId: string): Promise<Sealing> {
    const sealing = known.get(workspaceId)
    if (!sealing || sealing.left === 0) return renew(workspaceId)
    if (isTrusted(sealing)) return sealing
    // What is to be sealed now may be lost otherwise, and a former data key opens like any other: so it is used while the
    // database is away.
    return renew(workspaceId).catch((error) => {
      warnOfFormer(workspaceId, error)
      return sealing
    })
  }

  function warnOfFormer(workspaceId: string, error: unknown): void {
    deps.log.warn(
      { error, workspace: workspaceId },
      'sealed with the data key at hand, which may not be the newest',
    )
  }

  function hasEnough({ left }: Sealing): boolean {
    return left > limits.usesAtOnce / 2
  }

  function isTrusted({ seenAt }: Sealing): boolean {
    return performance.now() - seenAt < limits.trustMs
  }

  /** Once for all who ask meanwhile. */
  function renew(workspaceId: string): Promise<Sealing> {
    const awaited = coming.get(workspaceId) ?? find(workspaceId).finally(() => coming.delete(workspaceId))
    coming.set(workspaceId, awaited)
    return awaited
  }

  async function find(workspaceId: string): Promise<Sealing> {
    const seenAt = performance.now()
    let newest = await dataKeys.getCurrent(workspaceId)
    const before = known.get(workspaceId)
    if (before?.key.id === newest.id && hasEnough(before)) {
      before.seenAt = seenAt
      return before
    }
    // Before uses of it are reserved: those of a key that does not open now would be given up at every attempt.
    let key = await unwrap(newest)
    while (!(await dataKeys.reserve(newest.id, limits.usesAtOnce, limits.usesOfKey))) {
      newest = await follow(newest)
      key = await unwrap(newest)
    }
    const sealing = before?.key.id === key.id ? before : { key, left: 0, seenAt }
    sealing.left += limits.usesAtOnce
    sealing.seenAt = seenAt
    remember(workspaceId, sealing)
    return sealing
  }

  function unwrap(dataKey: DataKey): Promise<UnwrappedKey> {
    return deps.unwrapped.get(dataKey.id, async () => dataKey)
  }

  /** A data key that has been used as often as it may be gets a successor, of this process or of another. */
  async function follow({ workspaceId, version }: DataKey): Promise<DataKey> {
    const next = await createDataKey(deps.keks, workspaceId, version + 1)
    if (!(await dataKeys.insert(next))) return dataKeys.getCurrent(workspaceId)
    deps.log.info(
      { workspace: workspaceId, version: next.version },
      'made a new data key, as the former has been used as often as it may be',
    )
    return next
  }

  function remember(workspaceId: string, sealing: Sealing): void {
    known.delete(workspaceId)
    known.set(workspaceId, sealing)
    for (const oldest of known.keys()) {
      if (known.size <= limits.workspaces) break
      known.delete(oldest)
    }
  }
}

function isDistrusted({ seenAt }: Sealing): boolean {
  return seenAt === never
}

function isKmsAway(error: unknown): boolean {
  return error instanceof AuthconnError && error.code === 'kms_unavailable'
}
