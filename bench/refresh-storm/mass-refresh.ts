import { type Aim, atLeast, atMost, exactly } from '../support/aims.ts'
import { makeAllDue, untilRefreshed } from './due-grants.ts'
import { plainRefreshes } from './plain-refreshes.ts'
import { withRig } from './rig.ts'
import type { VaultDatabase } from './vault-database.ts'

export interface MassRefreshPlan {
  serverUrl: string
  vaults: number
  grants: number
  providerMs: number
  /** Refreshes at a time of one vault at one provider, which is its setting. */
  perProvider: number
  /** Of what the provider gives to a plain client. */
  leastShare: number
}

export interface MassRefresh {
  vaults: number
  grants: number
  providerMs: number
  perProvider: number
  /** Grants that were not refreshed exactly once. */
  notOnce: number
  replays: number
  mostAtATime: number
  /** From the moment they were due until the last was stored. */
  seconds: number
  /** From the first that was stored to the last. */
  refreshesPerSecond: number
  /** Of the provider with a client that does nothing else, at the same concurrency. */
  plainPerSecond: number
  share: number
  aims: Aim[]
}

const hour = 3600

/** Many grants come due in the same moment, and some vaults share them. */
export async function massRefresh(plan: MassRefreshPlan): Promise<MassRefresh> {
  const { vaults, grants, providerMs, perProvider } = plan
  const storage = { kind: 'postgres', serverUrl: plan.serverUrl } as const

  const found = await withRig(storage, { tokenLatencyMs: providerMs }, async ({ provider, database, ...rig }) => {
    const concurrency = vaults * perProvider
    // The first part warms the provider up.
    await plainRefreshes(provider, await provider.mint(Math.ceil(grants / 4)), concurrency)
    const plainPerSecond = await plainRefreshes(provider, await provider.mint(Math.ceil(grants / 2)), concurrency)

    const seeded = await database.seed(await provider.mint(grants), { expiresIn: 2 * hour, dueIn: hour })
    await rig.startVaults(vaults, { AUTHCONN_REFRESH_CONCURRENCY_PER_PROVIDER: String(perProvider) })
    await provider.resetStats()
    const due = await makeAllDue(database)
    await untilRefreshed(database)
    const { first, last } = await whenRefreshed(database)

    const { concurrentTokenRequests } = await provider.stats()
    const families = await provider.families()
    const outcomes = seeded.map(({ family }) => families.get(family))
    const refreshesPerSecond = grants / ((last - first) / 1000)
    return {
      notOnce: outcomes.filter((family) => family?.refreshes !== 1).length,
      replays: outcomes.reduce((sum, family) => sum + (family?.replays ?? 0), 0),
      mostAtATime: concurrentTokenRequests.most,
      seconds: Math.round((last - due) / 100) / 10,
      refreshesPerSecond: Math.round(refreshesPerSecond),
      plainPerSecond: Math.round(plainPerSecond),
      share: Math.round((100 * refreshesPerSecond) / plainPerSecond) / 100,
    }
  })
  return { vaults, grants, providerMs, perProvider, ...found, aims: judge(found, plan) }
}

async function whenRefreshed({ db }: VaultDatabase): Promise<{ first: number; last: number }> {
  const found = await db
    .selectFrom('grants')
    .select(({ fn }) => [fn.min('last_refreshed_at').as('first'), fn.max('last_refreshed_at').as('last')])
    .executeTakeFirstOrThrow()
  return { first: found.first?.getTime() ?? Number.NaN, last: found.last?.getTime() ?? Number.NaN }
}

function judge(
  found: Pick<MassRefresh, 'notOnce' | 'replays' | 'mostAtATime' | 'share'>,
  plan: MassRefreshPlan,
): Aim[] {
  const where = `${plan.grants} grants due at once, ${plan.vaults} vaults, a provider of ${plan.providerMs} ms`
  return [
    exactly(`${where}: grants not refreshed exactly once`, '', 0, found.notOnce),
    exactly(`${where}: replays of a refresh token`, '', 0, found.replays),
    atMost(`${where}: refreshes at a time`, '', plan.vaults * plan.perProvider, found.mostAtATime),
    atLeast(`${where}: share of what the provider gives a plain client`, '', plan.leastShare, found.share),
  ]
}
