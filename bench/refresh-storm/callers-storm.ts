import { type Aim, atMost, exactly } from '../support/aims.ts'
import { cpuTime } from '../support/cpu-time.ts'
import { type Percentiles, percentiles } from '../support/percentiles.ts'
import { openStorm, type Storm, type StormAnswer } from '../support/storm.ts'
import { summarize } from '../support/summarize.ts'
import type { RunningVault } from '../support/vaults.ts'
import type { Provider } from './provider.ts'
import { type Storage, withRig } from './rig.ts'
import type { SeededGrant, VaultDatabase } from './vault-database.ts'

export interface CallersStormPlan {
  storage: Storage
  vaults: number
  callers: number
  /** Storms before those that count. */
  warmUps: number
  /** Each on another expired grant. */
  repetitions: number
  providerMs: number
  /** Milliseconds that the slowest caller may wait beyond what the provider takes. */
  allowanceMs: number
}

export interface CallersStorm {
  storage: Storage['kind']
  vaults: number
  callers: number
  providerMs: number
  storms: OneStorm[]
  /** Milliseconds. */
  medianOfSlowest: number
  aims: Aim[]
}

interface OneStorm {
  providerCalls: number
  /** Answers with the token that most got, which the provider accepts. */
  validAnswers: number
  /** Milliseconds until an answer was there. */
  answeredAfter: Percentiles
  /** Milliseconds in which all requests were sent. */
  sendingTook: number
  /** Milliseconds of processor time that the vaults used. */
  vaultCpu: number
  /** What else was answered, if anything. */
  others: string[]
}

interface TokenBody {
  access_token?: string
  code?: string
}

/** Many callers at once ask several vaults for the token of one grant that has expired. */
export async function callersStorm(plan: CallersStormPlan): Promise<CallersStorm> {
  const { vaults: count, callers, repetitions, providerMs } = plan
  const storms = await withRig(plan.storage, { tokenLatencyMs: providerMs }, async (rig) => {
    const { provider, database } = rig
    const fresh = { expiresIn: 3600, dueIn: null }
    const expired = { expiresIn: -60, dueIn: null }
    const [warmUp] = await database.seed(await provider.mint(1), fresh)
    // A vault that has served for a while, rather than one whose code nobody has run yet.
    const warmUps = await database.seed(await provider.mint(plan.warmUps), expired)
    const grants = await database.seed(await provider.mint(repetitions), expired)
    const vaults = await rig.startVaults(count)
    const storm = await openStorm({ baseUrls: vaults.map(({ url }) => url), connections: callers })
    try {
      if (warmUp) await storm.send({ path: warmUp.tokenPath, apiKey: database.apiKey })
      for (const grant of warmUps) await stormOne(storm, vaults, provider, database, grant)
      const found: OneStorm[] = []
      for (const grant of grants) found.push(await stormOne(storm, vaults, provider, database, grant))
      return found
    } finally {
      storm.close()
    }
  })
  const medianOfSlowest = summarize(storms.map(({ answeredAfter }) => answeredAfter.max)).median
  const found = { storage: plan.storage.kind, vaults: count, callers, providerMs, storms, medianOfSlowest }
  return { ...found, aims: judge(found, plan) }
}

async function stormOne(
  storm: Storm,
  vaults: RunningVault[],
  provider: Provider,
  { apiKey }: VaultDatabase,
  { tokenPath, family }: SeededGrant,
): Promise<OneStorm> {
  await provider.resetStats()
  const cpuBefore = await cpuOf(vaults)
  const { answers, sentMs } = await storm.send<TokenBody | undefined>({ path: tokenPath, apiKey })
  const vaultCpu = (await cpuOf(vaults)) - cpuBefore
  const { tokenRequests } = await provider.stats()
  const [newest] = countEach(answers.flatMap(({ body }) => body?.access_token ?? []))
  const accepted = newest !== undefined && (await provider.accepts(newest[0]))
  const refreshes = (await provider.families()).get(family)?.refreshes
  return {
    providerCalls: Math.max(tokenRequests.refresh_token ?? 0, refreshes ?? 0),
    validAnswers: accepted ? newest[1] : 0,
    answeredAfter: percentiles(answers.map(({ ms }) => ms)),
    sendingTook: Math.round(sentMs),
    vaultCpu,
    others: countEach(answers.flatMap(describeOther)).map(([what, times]) => `${times} × ${what}`),
  }
}

async function cpuOf(vaults: RunningVault[]): Promise<number> {
  const times = await Promise.all(vaults.map(({ pid }) => cpuTime(pid)))
  return times.reduce((sum, ms) => sum + ms, 0)
}

function describeOther({ status, body, failure }: StormAnswer<TokenBody | undefined>): string | [] {
  return status === 200 ? [] : (failure ?? `${status} ${body?.code ?? ''}`)
}

/** Each value with how often it occurs, the most frequent first. */
function countEach(values: string[]): [string, number][] {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts].sort(([, a], [, b]) => b - a)
}

function judge(found: Omit<CallersStorm, 'aims'>, plan: CallersStormPlan): Aim[] {
  const where = `${plan.callers} callers at once, ${plan.vaults} × ${plan.storage.kind}`
  const { storms } = found
  const mostCalls = Math.max(...storms.map(({ providerCalls }) => providerCalls))
  const fewestValid = Math.min(...storms.map(({ validAnswers }) => validAnswers))
  return [
    exactly(`${where}: provider calls`, '', 1, mostCalls),
    exactly(`${where}: answers with the one new token`, '', plan.callers, fewestValid),
    atMost(`${where}: the slowest`, 'ms', plan.providerMs + plan.allowanceMs, found.medianOfSlowest),
  ]
}
