import type { GrantStore, Lease } from '../grant-port.ts'
import type { Log } from '../ports.ts'

export interface LeaseTimes {
  /** How long a lease lasts, unless it is renewed. */
  seconds: number
  /** Milliseconds between renewals: several may fail before a lease is lost. */
  renewalMs: number
}

/** Short, so that what a process leaves behind when it dies is taken up while providers still forgive a reuse. */
export const leaseTimes: LeaseTimes = { seconds: 4, renewalMs: 1_000 }

export interface LeaseKeeper {
  /** Keeps a lease from running out until the returned function is called. */
  keep(lease: Lease): () => void
}

/** Renews the leases of this process, all in one statement, for as long as their refreshes take. */
export function createLeaseKeeper(deps: {
  grants: Pick<GrantStore, 'renewLeases'>
  log: Log
  lease: LeaseTimes
  sleep(ms: number): Promise<unknown>
}): LeaseKeeper {
  const { seconds, renewalMs } = deps.lease
  const kept = new Set<Lease>()
  let renewing = false

  async function renewWhileKept(): Promise<void> {
    renewing = true
    await deps.sleep(renewalMs)
    while (kept.size > 0) {
      // Not waited for: one that hangs, on a connection that is dead say, must not keep back the next. What fails is
      // followed by another; a lease that is lost is told by the write that needs it.
      deps.grants.renewLeases([...kept], seconds).catch((error) => {
        deps.log.warn({ error }, 'could not renew the leases of running refreshes')
      })
      await deps.sleep(renewalMs)
    }
    renewing = false
  }

  return {
    keep(lease) {
      kept.add(lease)
      if (!renewing) void renewWhileKept()
      return () => void kept.delete(lease)
    },
  }
}
