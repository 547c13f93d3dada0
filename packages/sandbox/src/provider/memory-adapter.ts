import type { AdapterFactory, AdapterPayload } from 'oidc-provider'

interface Entry {
  payload: AdapterPayload
  expiresAt: number
}

export interface MemoryAdapterOptions {
  /** Seconds during which a refresh token that was used once can be used again; 0 for not at all. */
  reuseInterval: number
}

/** Where the provider keeps its sessions, codes and tokens: in memory, until the sandbox stops. */
export function createMemoryAdapter(options: MemoryAdapterOptions): AdapterFactory {
  const entries = new Map<string, Entry>()
  const sessionIds = new Map<string, string>()
  let sweepAt = 1000

  function sweep() {
    if (entries.size < sweepAt) return
    const now = Date.now()
    for (const [key, entry] of entries) if (entry.expiresAt <= now) entries.delete(key)
    sweepAt = Math.max(1000, entries.size * 2)
  }

  return function adapterFor(model) {
    const keyOf = (id: string) => `${model}:${id}`

    async function find(id: string) {
      const entry = entries.get(keyOf(id))
      if (!entry || entry.expiresAt <= Date.now()) return undefined
      return model === 'RefreshToken' ? forgiveReuse(entry.payload, options.reuseInterval) : entry.payload
    }

    return {
      find,
      async upsert(id, payload, expiresIn) {
        sweep()
        entries.set(keyOf(id), { payload, expiresAt: expiresIn ? Date.now() + expiresIn * 1000 : Infinity })
        if (model === 'Session' && payload.uid) sessionIds.set(payload.uid, id)
      },
      async findByUid(uid) {
        return find(sessionIds.get(uid) ?? '')
      },
      async findByUserCode() {
        return undefined
      },
      async consume(id) {
        const payload = entries.get(keyOf(id))?.payload
        // The first use counts, else each reuse would prolong the interval.
        if (payload) payload.consumed ??= Date.now() / 1000
      },
      async destroy(id) {
        const uid = entries.get(keyOf(id))?.payload.uid
        if (model === 'Session' && uid) sessionIds.delete(uid)
        entries.delete(keyOf(id))
      },
      async revokeByGrantId(grantId) {
        for (const [key, { payload }] of entries) {
          if (payload.grantId === grantId && key.startsWith(`${model}:`)) entries.delete(key)
        }
      },
    }
  }
}

/** The provider takes a token without `consumed` for an unused one and issues a successor. */
function forgiveReuse(payload: AdapterPayload, interval: number): AdapterPayload {
  const { consumed, ...rest } = payload
  return typeof consumed === 'number' && Date.now() / 1000 < consumed + interval ? rest : payload
}
