import { setTimeout as sleep } from 'node:timers/promises'
import { type Aim, atLeast, exactly } from '../support/aims.ts'
import { makeAllDue, untilRefreshed } from './due-grants.ts'
import type { Provider } from './provider.ts'
import { withRig } from './rig.ts'

export interface KillInBacklogPlan {
  serverUrl: string
  vaults: number
  /** As many as take longer than the provider forgives. */
  grants: number
  providerMs: number
  reuseInterval: number
}

export interface KillInBacklog {
  grants: number
  reuseInterval: number
  /** Due and not refreshed yet when it was killed. */
  backlog: number
  /** Attempts that had been interrupted and were forgiven. */
  forgiven: number
  lost: number
  aims: Aim[]
}

const hour = 3600
/** Refreshes that one vault may have under way. */
const perProvider = 8
const patienceMs = 30_000

/** A vault is killed while thousands are due: what it was doing must come before all of them. */
export async function killInBacklog(plan: KillInBacklogPlan): Promise<KillInBacklog> {
  const { grants, reuseInterval, providerMs: tokenLatencyMs } = plan
  const storage = { kind: 'postgres', serverUrl: plan.serverUrl } as const
  const found = await withRig(
    storage,
    { tokenLatencyMs, reuseInterval },
    async ({ provider, database, ...rig }) => {
      const { db } = database
      await database.seed(await provider.mint(grants), { expiresIn: 2 * hour, dueIn: hour })
      const [victim] = await rig.startVaults(plan.vaults, {
        AUTHCONN_REFRESH_CONCURRENCY_PER_PROVIDER: String(perProvider),
      })
      await makeAllDue(database)
      // More than the others may: then it has some under way as well.
      await untilAsked(provider, perProvider * (plan.vaults - 1) + 1)
      victim?.kill('SIGKILL')
      const left = await db
        .selectFrom('grants')
        .select(['id', 'attempted_at'])
        .where('generation', '=', 0)
        .execute()
      await untilRefreshed(
        database,
        left.flatMap(({ id, attempted_at }) => (attempted_at ? [id] : [])),
      )
      const lost = await db.selectFrom('grants').select('id').where('status', '<>', 'active').execute()
      const families = [...(await provider.families()).values()]
      return {
        backlog: left.length,
        forgiven: families.filter(({ reused }) => reused > 0).length,
        lost: lost.length,
      }
    },
  )
  const where = `a kill while ${found.backlog} grants are due, a provider that forgives for ${reuseInterval} s`
  return {
    grants,
    reuseInterval,
    ...found,
    aims: [
      atLeast(`${where}: attempts that it interrupted, and that were made again in time`, '', 1, found.forgiven),
      exactly(`${where}: grants lost`, '', 0, found.lost),
    ],
  }
}

async function untilAsked(provider: Provider, atATime: number): Promise<void> {
  const deadline = performance.now() + patienceMs
  while ((await provider.stats()).concurrentTokenRequests.now < atATime) {
    if (performance.now() > deadline) throw new Error(`the provider was never asked by ${atATime} at a time`)
    await sleep(5)
  }
}
