import { findPgbouncer } from '../../packages/server/test/support/pgbouncer.ts'
import { type CallersStorm, callersStorm } from './callers-storm.ts'
import { type KillInBacklog, killInBacklog } from './kill-in-backlog.ts'
import { type KillStorm, killStorm } from './kill-storm.ts'
import { type MassRefresh, massRefresh } from './mass-refresh.ts'
import { type ProviderOutage, providerOutage } from './provider-outage.ts'
import type { Storage } from './rig.ts'
import { type SlowProvider, slowProvider } from './slow-provider.ts'
import { type StaleWriter, staleWriter } from './stale-writer.ts'
import { type WaitingBaseline, waitingBaseline } from './waiting-baseline.ts'

/** What was found of each scenario; of some there are several. */
export interface Found {
  baseline?: WaitingBaseline
  callers: CallersStorm[]
  slowProvider: SlowProvider[]
  massRefresh: MassRefresh[]
  kills: KillStorm[]
  killInBacklog: KillInBacklog[]
  staleWriter: StaleWriter[]
  outage: ProviderOutage[]
}

/** In the order in which they are played, by the names that choose them. Each takes a PostgreSQL server. */
export const scenarios: Record<string, (serverUrl: string) => Promise<Partial<Found>>> = {
  async callers(serverUrl) {
    const common = { callers: 1000, warmUps: 10, repetitions: 7, providerMs: 200, allowanceMs: 300 }
    const baseline = await waitingBaseline({ processes: 3, callers: 1000, waitMs: 200, repetitions: 7 })
    const storages: { storage: Storage; vaults: number }[] = [
      { storage: { kind: 'postgres', serverUrl }, vaults: 3 },
      ...(findPgbouncer() ? [{ storage: { kind: 'pgbouncer', serverUrl }, vaults: 3 } as const] : []),
      { storage: { kind: 'pglite' }, vaults: 1 },
    ]
    const callers: CallersStorm[] = []
    for (const each of storages) callers.push(await callersStorm({ ...each, ...common }))
    return { baseline, callers }
  },

  async 'slow-provider'(serverUrl) {
    const maxWaits = [0, 1, 3, 6, 10, 11, 13, 15, 20]
    const plan = { vaults: 2, callers: 180, providerMs: 12_000, maxWaits, allowanceMs: 500 }
    return { slowProvider: [await slowProvider({ serverUrl, ...plan })] }
  },

  async 'mass-refresh'(serverUrl) {
    const common = { serverUrl, vaults: 3, grants: 2000, perProvider: 8 }
    return {
      massRefresh: [
        await massRefresh({ ...common, providerMs: 50, leastShare: 0.5 }),
        await massRefresh({ ...common, providerMs: 200, leastShare: 0.75 }),
      ],
      killInBacklog: [
        await killInBacklog({ serverUrl, vaults: 3, grants: 4000, providerMs: 150, reuseInterval: 10 }),
      ],
    }
  },

  async kills(serverUrl) {
    const common = {
      serverUrl,
      vaults: 3,
      grants: 40,
      kills: 200,
      accessTokenTtl: 4,
      providerMs: 50,
      callers: 4,
      settleMs: 60_000,
    }
    const pauseMs = [700, 2000] as const
    return {
      kills: [
        await killStorm({ ...common, pauseMs, reuseInterval: 0 }),
        await killStorm({ ...common, pauseMs, reuseInterval: 10 }),
      ],
    }
  },

  async 'stale-writer'(serverUrl) {
    return { staleWriter: [await staleWriter({ serverUrl, repetitions: 5, providerMs: 1500 })] }
  },

  async outage(serverUrl) {
    const common = {
      serverUrl,
      replicas: 3,
      grants: 500,
      callers: 3,
      factors: { outage: 60, recovery: 5 },
      freshWithin: 60,
    }
    return {
      outage: [
        await providerOutage({
          ...common,
          outage: [{ fault: { kind: 'status', status: 503 }, seconds: 3600 }],
          dueWithin: 900,
          reuseInterval: 0,
        }),
        // Where it says nothing at all, what is under way at the end may come to its end unseen.
        await providerOutage({
          ...common,
          outage: [
            { fault: { kind: 'reset' }, seconds: 300 },
            { fault: { kind: 'hang' }, seconds: 300 },
          ],
          dueWithin: 300,
          reuseInterval: 10,
        }),
      ],
    }
  },
}
