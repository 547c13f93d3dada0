import type { AdapterPayload } from 'oidc-provider'

interface Entry {
  payload: AdapterPayload
  expiresAt: number
}

/** The entries of one kind, by id, with those of a grant at hand: a storm has thousands of grants. */
export function createEntryStore() {
  const entries = new Map<string, Entry>()
  const idsByGrant = new Map<string, Set<string>>()
  let sweepAt = 1000

  function sweep() {
    if (entries.size < sweepAt) return
    const now = Date.now()
    for (const [id, { expiresAt }] of entries) if (expiresAt <= now) remove(id)
    sweepAt = Math.max(1000, entries.size * 2)
  }

  function remove(id: string): AdapterPayload | undefined {
    const payload = entries.get(id)?.payload
    entries.delete(id)
    const ids = idsByGrant.get(payload?.grantId ?? '')
    ids?.delete(id)
    if (payload?.grantId && ids?.size === 0) idsByGrant.delete(payload.grantId)
    return payload
  }

  return {
    /** What is stored, not a copy; undefined once it has expired. */
    find(id: string): AdapterPayload | undefined {
      const entry = entries.get(id)
      return entry && entry.expiresAt > Date.now() ? entry.payload : undefined
    },
    put(id: string, payload: AdapterPayload, expiresIn: number | undefined) {
      sweep()
      entries.set(id, { payload, expiresAt: expiresIn ? Date.now() + expiresIn * 1000 : Infinity })
      if (!payload.grantId) return
      const ids = idsByGrant.get(payload.grantId)
      if (ids) ids.add(id)
      else idsByGrant.set(payload.grantId, new Set([id]))
    },
    remove,
    /** Takes out what belongs to the grant and answers it. */
    removeGrant(grantId: string): { id: string; payload: AdapterPayload }[] {
      return [...(idsByGrant.get(grantId) ?? [])].flatMap((id) => {
        const payload = remove(id)
        return payload ? [{ id, payload }] : []
      })
    },
  }
}
