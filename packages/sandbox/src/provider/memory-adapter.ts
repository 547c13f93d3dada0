import type { AdapterFactory, AdapterPayload } from 'oidc-provider'
import type { FamilyLog } from '../families.ts'
import type { SandboxSettings } from '../settings.ts'
import { createEntryStore } from './entry-store.ts'

/** Where the provider keeps its sessions, codes and tokens: in memory, until the sandbox stops. */
export function createMemoryAdapter(deps: {
  settings: Pick<SandboxSettings, 'reuseInterval'>
  families: Pick<FamilyLog, 'reused' | 'ended'>
}): AdapterFactory {
  const { settings, families } = deps
  const stores = new Map<string, ReturnType<typeof createEntryStore>>()
  const sessionIds = new Map<string, string>()
  const deviceCodeIds = new Map<string, string>()

  return function adapterFor(model) {
    // The library asks more than once for some models.
    const store = stores.get(model) ?? createEntryStore()
    stores.set(model, store)
    const isRefreshToken = model === 'RefreshToken'

    async function find(id: string) {
      const payload = store.find(id)
      return payload && isRefreshToken ? forgiveReuse(payload, settings.reuseInterval) : payload
    }

    return {
      find,
      async upsert(id, payload, expiresIn) {
        store.put(id, payload, expiresIn)
        if (model === 'Session' && payload.uid) sessionIds.set(payload.uid, id)
        if (payload.userCode) deviceCodeIds.set(payload.userCode, id)
      },
      async findByUid(uid) {
        return find(sessionIds.get(uid) ?? '')
      },
      async findByUserCode(userCode) {
        return find(deviceCodeIds.get(userCode) ?? '')
      },
      async consume(id) {
        const payload = store.find(id)
        // The first use counts, else each reuse would prolong the interval.
        if (payload && payload.consumed === undefined) payload.consumed = Date.now() / 1000
        else if (isRefreshToken && payload?.grantId) families.reused(payload.grantId)
      },
      async destroy(id) {
        const payload = store.remove(id)
        if (model === 'Session' && payload?.uid) sessionIds.delete(payload.uid)
        if (payload?.userCode) deviceCodeIds.delete(payload.userCode)
      },
      async revokeByGrantId(grantId) {
        const removed = store.removeGrant(grantId)
        if (isRefreshToken)
          families.ended(
            grantId,
            removed.filter(isUsed).map(({ id }) => id),
          )
      },
    }
  }
}

/** The provider takes a token without `consumed` for an unused one and issues a successor. */
function forgiveReuse(payload: AdapterPayload, interval: number): AdapterPayload {
  const { consumed, ...rest } = payload
  return typeof consumed === 'number' && Date.now() / 1000 < consumed + interval ? rest : payload
}

function isUsed({ payload }: { payload: AdapterPayload }): boolean {
  return payload.consumed !== undefined
}
