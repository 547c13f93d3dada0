import { createRecentKeys } from './recent-keys.ts'
import { createWindowCounter, type SharedCounter, type Tally } from './window-counter.ts'

/** One of the limits, as answers name it. */
export interface Policy {
  readonly name: 'caller' | 'address'
  /** So many in a window; 0: no limit. */
  readonly quota: number
  readonly windowMs: number
}

/** Where a request stands with the limit that is nearest to it. */
export interface Standing {
  policy: Policy
  tally: Tally
  isRefused: boolean
}

export interface Request {
  /** Whom its address stands for: see networkOf. */
  network: string
  /** SHA-256 of the key it carries; undefined for none. */
  keyHash: string | undefined
}

export interface RateLimits {
  /**
   * Counts the request to its key and says whether it may go on; undefined where nothing limits it. Asks nobody: what it
   * decides by is in memory.
   */
  admit(request: Request, now: number): Standing | undefined
  /** The key was none; true when this has made its address one that is refused. */
  failed(request: Request, now: number): boolean
  /** The key was accepted by the database. */
  succeeded(keyHash: string, now: number): void
  counters: Readonly<Record<Policy['name'], SharedCounter>>
}

/** Milliseconds for which a key that was accepted is let through from an address that is refused. */
const knownFor = 3_600_000

/**
 * How much each caller may ask, and how often an address may come with keys that are none. Callers are told apart by the
 * hash of what they present, since whose key it is, only the database knows.
 * Behind one address there may be many, such as a proxy or a whole office: the keys that were good a while ago go on being
 * looked up when the address is refused for the sake of others. They are let through to the database, not let in.
 */
export function createRateLimits(settings: {
  perCaller: number
  failuresPerAddress: number
  isShared: boolean
}): RateLimits {
  const { isShared } = settings
  const caller: Policy = { name: 'caller', quota: settings.perCaller, windowMs: 10_000 }
  const address: Policy = { name: 'address', quota: settings.failuresPerAddress, windowMs: 60_000 }
  const requests = createWindowCounter({ windowMs: caller.windowMs, isShared })
  const failures = createWindowCounter({ windowMs: address.windowMs, isShared })
  const known = createRecentKeys({ ms: knownFor, most: 10_000 })

  function refusal({ network, keyHash }: Request, now: number): Standing | undefined {
    const tally = address.quota === 0 ? undefined : failures.find(network, now)
    if (tally === undefined || tally.count < address.quota) return undefined
    if (keyHash !== undefined && known.has(keyHash)) return undefined
    return { policy: address, tally, isRefused: true }
  }

  return {
    admit(request, now) {
      const refused = refusal(request, now)
      if (refused) return refused
      if (caller.quota === 0 || request.keyHash === undefined) return undefined
      const tally = requests.add(request.keyHash, now)
      return { policy: caller, tally, isRefused: tally.count > caller.quota }
    },
    failed({ network, keyHash }, now) {
      if (address.quota === 0) return false
      if (keyHash !== undefined) known.forget(keyHash)
      return failures.add(network, now).count === address.quota
    },
    succeeded(keyHash, now) {
      if (address.quota > 0) known.note(keyHash, now)
    },
    counters: { caller: requests, address: failures },
  }
}
