import { AuthconnError } from './authconn-error.ts'
import { createSharedCalls } from './shared-calls.ts'

/** Where a client has its API key from. */
export interface ApiKeys {
  /** One to be sent now. Throws AuthconnError where none can be had. */
  get(signal: AbortSignal): Promise<string>
  /** Whether there may be another one after the vault has refused this in a call that began then. */
  drop(refused: string, begun: number): boolean
}

export interface IssuedKey {
  apiKey: string
  /** Seconds, from when it was asked for. */
  life: number
}

export function fixedKey(apiKey: string): ApiKeys {
  return { get: async () => apiKey, drop: () => false }
}

interface Held {
  apiKey: string
  askedAt: number
  renewAt: number
  end: number
}

/**
 * Keys that the vault gives for an identity, one after the other, in memory only. Those who need one at once share the
 * exchange. A key is replaced before it ends; as long as it is good, a failure to do so harms nobody.
 * For `patience`, in milliseconds, a call waits for a new key while the former one is good.
 */
export function issuedKeys(exchange: (signal: AbortSignal) => Promise<IssuedKey>, patience = 5000): ApiKeys {
  const share = createSharedCalls<Held>()
  let held: Held | undefined

  const renew = (signal: AbortSignal) =>
    share('', signal, async (shared) => {
      const askedAt = Date.now()
      const { apiKey, life } = await exchange(shared)
      // A quarter of its life, and no more than two minutes, in which the vault or the platform may be away.
      const ahead = Math.min(life / 4, 120)
      held = { apiKey, askedAt, renewAt: askedAt + (life - ahead) * 1000, end: askedAt + life * 1000 }
      return held
    })

  async function replaceInTime(good: Held, signal: AbortSignal): Promise<string> {
    const late = AbortSignal.timeout(patience)
    try {
      return (await renew(AbortSignal.any([signal, late]))).apiKey
    } catch (error) {
      signal.throwIfAborted()
      if (!late.aborted && !(error instanceof AuthconnError)) throw error
      // Not at every call until then.
      good.renewAt = Date.now() + (good.end - Date.now()) / 2
      return good.apiKey
    }
  }

  return {
    async get(signal) {
      signal.throwIfAborted()
      const now = Date.now()
      // A clock that was set back says nothing about the age.
      if (held === undefined || now >= held.end || now < held.askedAt) return (await renew(signal)).apiKey
      return now < held.renewAt ? held.apiKey : replaceInTime(held, signal)
    },
    drop(refused, begun) {
      // One that was made for this very call is refused for another reason than its age.
      if (held?.apiKey === refused && held.askedAt >= begun) return false
      if (held?.apiKey === refused) held = undefined
      return true
    },
  }
}
