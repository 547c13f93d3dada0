import { randomBytes } from 'node:crypto'
import type { Fault } from '../../packages/sandbox/src/index.ts'
import { secondsFromNow } from '../../packages/server/src/adapters/postgres/grant-sql.ts'
import { temporaryDatabase } from '../../packages/server/test/support/temporary-database.ts'
import { type Aim, atMost, exactly } from '../support/aims.ts'
import { mostCallsWhileDown } from './circuit-bound.ts'
import { isHelpful, startCallers } from './outage-callers.ts'
import { type Provider, startProvider } from './provider.ts'
import { perProvider, startReplica } from './replica.ts'
import { type SimulatedTime, simulateTime } from './simulated-time.ts'
import { makeVaultDatabase, type SeededGrant, type VaultDatabase } from './vault-database.ts'

/** All seconds are simulated. */
export interface ProviderOutagePlan {
  serverUrl: string
  replicas: number
  grants: number
  /** What the provider does, one after the other. */
  outage: { fault: Fault; seconds: number }[]
  /** Seconds after its beginning in which tokens come due; each is good for some minutes more. */
  dueWithin: number
  callers: number
  /** Seconds after the provider is back in which all tokens are to be fresh. */
  freshWithin: number
  /** Real seconds for which the provider forgives a reuse. */
  reuseInterval: number
  /** How much faster than real time the outage passes, and then the recovery, which takes real work. */
  factors: { outage: number; recovery: number }
}

export interface ProviderOutage {
  replicas: number
  grants: number
  faults: string[]
  outageSeconds: number
  calls: number
  /** As the circuit breakers promise it. */
  mostCalls: number
  /** What callers were answered during the outage. */
  answers: Record<string, number>
  /** Seconds after the provider was back until every grant had a new token. */
  freshAfter: number
  /** The most calls in any second since then. */
  peakPerSecond: number
  /** What is said of the grants that have ended. */
  lost: string[]
  replays: number
  aims: Aim[]
}

const hour = 3600
/** Seconds that a token is good for when it is due. */
const lead = 300

export async function providerOutage(plan: ProviderOutagePlan): Promise<ProviderOutage> {
  const provider = await startProvider({ accessTokenTtl: hour, reuseInterval: plan.reuseInterval })
  const storage = temporaryDatabase(plan.serverUrl)
  await storage.create()
  try {
    const time = await simulateTime(storage, plan.factors.outage)
    const database = await makeVaultDatabase({ url: storage.url }, randomBytes(32), provider)
    try {
      const found = await playOutage(plan, provider, time, database)
      return { ...found, aims: judge(found, plan) }
    } finally {
      await database.close()
    }
  } finally {
    await storage.drop()
    await provider.stop()
  }
}

async function playOutage(
  plan: ProviderOutagePlan,
  provider: Provider,
  time: SimulatedTime,
  database: VaultDatabase,
): Promise<Omit<ProviderOutage, 'aims'>> {
  const { grants, outage, factors } = plan
  const seeded = await seedGrants(plan, provider, database)
  const calls: number[] = []
  const replicas = Array.from({ length: plan.replicas }, () =>
    startReplica({ time, database, onCall: () => void calls.push(time.elapsed()) }),
  )
  const over = new AbortController()
  try {
    const callers = startCallers(plan.callers, replicas, seeded, time, database, over.signal)
    const began = time.elapsed()
    for (const { fault, seconds } of outage) {
      await provider.fail(fault)
      await time.sleep(seconds * 1000)
    }
    over.abort()
    const meanwhile = { outageSeconds: Math.round((time.elapsed() - began) / 1000), calls: calls.length }
    await time.setFactor(factors.recovery)
    await provider.fail(null)
    const back = time.elapsed()
    await untilAllFresh(time, database)
    return {
      replicas: plan.replicas,
      grants,
      faults: outage.map(({ fault, seconds }) => `${fault.kind} ${fault.status ?? ''} for ${seconds} s`),
      ...meanwhile,
      mostCalls: mostCalls(plan),
      answers: await callers,
      freshAfter: Math.round((time.elapsed() - back) / 100) / 10,
      peakPerSecond: mostInOneSecond(calls.filter((at) => at >= back)),
      ...(await findLosses(provider, database)),
    }
  } finally {
    over.abort()
    await Promise.all(replicas.map((replica) => replica.stop()))
  }
}

/** What the circuit breakers let through. Between two faults they may have been closed for a moment. */
function mostCalls({ replicas, callers, outage }: ProviderOutagePlan): number {
  const underWay = perProvider - 1 + callers
  return replicas * sumOf(outage.map(({ seconds }) => mostCallsWhileDown(seconds, underWay)))
}

async function findLosses(
  provider: Provider,
  { db }: VaultDatabase,
): Promise<{ lost: string[]; replays: number }> {
  const ended = await db.selectFrom('grants').select('last_error').where('status', '<>', 'active').execute()
  const families = [...(await provider.families()).values()]
  return {
    lost: ended.map(({ last_error }) => `${last_error?.class}: ${last_error?.detail}`),
    replays: sumOf(families.map(({ replays }) => replays)),
  }
}

/** In ten lots, so that they come due one after the other. */
async function seedGrants({ grants, dueWithin }: ProviderOutagePlan, provider: Provider, { seed }: VaultDatabase) {
  const minted = await provider.mint(grants)
  const lots = 10
  const seeded: SeededGrant[] = []
  for (let lot = 0; lot < lots; lot++) {
    const dueIn = (dueWithin * (lot + 1)) / lots
    const tokens = minted.filter((_, index) => index % lots === lot)
    if (tokens.length > 0) seeded.push(...(await seed(tokens, { dueIn, expiresIn: dueIn + lead })))
  }
  return seeded
}

const patienceMs = 120_000

async function untilAllFresh(time: SimulatedTime, { db }: VaultDatabase): Promise<void> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    const stale = await db
      .selectFrom('grants')
      .select('id')
      .where('status', '=', 'active')
      .where('expires_at', '<', secondsFromNow(lead))
      .limit(1)
      .executeTakeFirst()
    if (!stale) return
    if (performance.now() > deadline) throw new Error(`not all tokens were fresh in ${patienceMs / 1000} s`)
    await time.sleep(200)
  }
}

function mostInOneSecond(times: number[]): number {
  let first = 0
  let most = 0
  times.forEach((at, last) => {
    while ((times[first] ?? at) <= at - 1000) first++
    most = Math.max(most, last - first + 1)
  })
  return most
}

function sumOf(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}

function judge(found: Omit<ProviderOutage, 'aims'>, plan: ProviderOutagePlan): Aim[] {
  const where = `a provider down for ${found.outageSeconds} s (${found.faults.join(', ')}), ${plan.grants} grants`
  const others = Object.entries(found.answers).filter(([answer]) => !isHelpful(answer))
  return [
    atMost(`${where}: calls to it meanwhile`, '', found.mostCalls, found.calls),
    exactly(
      `${where}: callers with neither a valid token nor the time to come again`,
      '',
      0,
      sumOf(others.map(([, times]) => times)),
    ),
    atMost(`${where}: all tokens fresh after its return`, 's', plan.freshWithin, found.freshAfter),
    exactly(`${where}: grants lost`, '', 0, found.lost.length),
  ]
}
