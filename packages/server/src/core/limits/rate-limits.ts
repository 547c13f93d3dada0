import { createRecentKeys } from './recent-keys.ts'
import { createWindowCounter, type SharedCounter, type Tally } from './window-counter.ts'

/** One of the limits, as answers name it. */
export interface Policy {
  readonly name: 'caller' | 'address' | 'exchange' | 'trust'
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
  /** Whether it needs no key and has the database work all the same. */
  isOpen?: boolean
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
  /** Where a trust stands that has given all the keys of its window; undefined while it may give more. */
  findSpent(trustId: string, now: number): Standing | undefined
  /** A key was given by a trust. */
  exchanged(trustId: string, now: number): void
  counters: Readonly<Record<Policy['name'], SharedCounter>>
}

/** Milliseconds for which a key that was accepted is let through from an address that is refused. */
const knownFor = 3_600_000

/**
 * How much each caller may ask, and how often an address may come with keys that are none. Callers are told apart by the
 * hash of what they present, since whose key it is, only the database knows.
 * Behind one address there may be many, such as a proxy or a whole office: the keys that were good a while ago go on being
 * looked up when the address is refused for the sake of others. They are let through to the database, not let in.
 * Each exchange makes a caller with a limit of its own, so exchanges are limited by where they come from, whatever comes of
 * them, and the keys by the trust that gives them.
 */
export function createRateLimits(settings: {
  perCaller: number
  failuresPerAddress: number
  exchanges: number
  isShared: boolean
}): RateLimits {
  const { isShared } = settings
  const caller: Policy = { name: 'caller', quota: settings.perCaller, windowMs: 10_000 }
  const address: Policy = { name: 'address', quota: settings.failuresPerAddress, windowMs: 60_000 }
  const exchange: Policy = { name: 'exchange', quota: settings.exchanges, windowMs: 60_000 }
  const trust: Policy = { ...exchange, name: 'trust' }
  const requests = createWindowCounter({ windowMs: caller.windowMs, isShared })
  const failures = createWindowCounter({ windowMs: address.windowMs, isShared })
  const exchanges = createWindowCounter({ windowMs: exchange.windowMs, isShared })
  const keysOfTrusts = createWindowCounter({ windowMs: trust.windowMs, isShared })
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
      if (request.isOpen && exchange.quota > 0) {
        const tally = exchanges.add(request.network, now)
        return { policy: exchange, tally, isRefused: tally.count > exchange.quota }
      }
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
    findSpent(trustId, now) {
      const tally = trust.quota === 0 ? undefined : keysOfTrusts.find(trustId, now)
      if (tally === undefined || tally.count < trust.quota) return undefined
      return { policy: trust, tally, isRefused: true }
    },
    exchanged(trustId, now) {
      if (trust.quota > 0) keysOfTrusts.add(trustId, now)
    },
    counters: { caller: requests, address: failures, exchange: exchanges, trust: keysOfTrusts },
  }
}
