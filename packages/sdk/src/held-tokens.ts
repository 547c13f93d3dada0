import type { Token } from '@authconn/shared'

/** Seconds that a token is to live when nobody says: what the vault aims at, too. */
const usualMinTtl = 60

/** A process that acts for many subjects keeps no more than this in memory. */
const most = 1000

/** When a token was asked for, by the clock here, and answered, by that of the vault; in milliseconds. */
export interface Moments {
  askedAt: number
  /** undefined where the answer did not say. */
  answeredAt: number | undefined
}

interface Held {
  token: Token
  askedAt: number
  /** When the token ends, by the clock here. */
  end: number
}

/** Tokens that may be given again for some seconds without asking the vault. */
export function createHeldTokens(seconds: number) {
  const held = new Map<string, Held>()
  return {
    /** One that lives for `minTtl` seconds more; undefined when there is none. */
    find(key: string, minTtl = usualMinTtl): Token | undefined {
      const found = held.get(key)
      if (found === undefined) return undefined
      const age = Date.now() - found.askedAt
      // A clock that was set back says nothing about the age.
      if (age < 0 || age >= seconds * 1000) {
        held.delete(key)
        return undefined
      }
      return found.end - Date.now() >= minTtl * 1000 ? found.token : undefined
    },
    keep(key: string, token: Token, moments: Moments): void {
      // An answer to an earlier question may arrive later, with a token that has been replaced since.
      if (seconds === 0 || (held.get(key)?.askedAt ?? 0) > moments.askedAt) return
      held.delete(key)
      held.set(key, { token, askedAt: moments.askedAt, end: endOf(token, moments) })
      const [oldest] = held.keys()
      if (held.size > most && oldest !== undefined) held.delete(oldest)
    },
    /** Forgets the token, or only that of a version. */
    drop(key: string, version?: number): void {
      if (version === undefined || held.get(key)?.token.version === version) held.delete(key)
    },
  }
}

/** The clocks may differ: what counts is how long the token had to live when the vault answered. */
function endOf({ expires_at }: Token, { askedAt, answeredAt }: Moments): number {
  if (expires_at === null) return Number.POSITIVE_INFINITY
  // The vault's clock comes in whole seconds, rounded down.
  return askedAt + Date.parse(expires_at) - (answeredAt === undefined ? askedAt : answeredAt + 1000)
}
