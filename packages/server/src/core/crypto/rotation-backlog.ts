import type { KeyStore, SealedStore } from '../key-port.ts'

export interface RotationBacklog {
  /** Keys that the current key-encryption key has not wrapped. */
  keysToRewrap: number
  /** Values that the newest data key of their workspace has not sealed. */
  valuesToReseal: number
}

/** Milliseconds for which a count is good enough; and how many times longer it is than the count took. */
const shortest = 60_000
const longerThanCount = 100

/**
 * What a rotation has left to do, counted seldom, however often it is asked for: counting takes as long as there is much to
 * do, and a hundredth of the time at most.
 */
export function createRotationBacklog(deps: {
  keys: Pick<KeyStore, 'countWrapped'>
  values: Pick<SealedStore, 'countFormer'>
  kekId: string
  /** Milliseconds of a clock that never goes back. */
  clock(): number
}): () => Promise<RotationBacklog> {
  let known: Promise<RotationBacklog> | undefined
  let countAgainAt = 0

  return function readBacklog() {
    if (known && deps.clock() < countAgainAt) return known
    const started = deps.clock()
    countAgainAt = Number.POSITIVE_INFINITY
    known = count()
    known.then(
      () => {
        countAgainAt = started + Math.max(shortest, longerThanCount * (deps.clock() - started))
      },
      () => {
        countAgainAt = 0
      },
    )
    return known
  }

  async function count(): Promise<RotationBacklog> {
    return {
      keysToRewrap: await deps.keys.countWrapped(deps.kekId),
      valuesToReseal: await deps.values.countFormer(),
    }
  }
}
