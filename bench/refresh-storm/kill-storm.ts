import { setTimeout as sleep } from 'node:timers/promises'
import { type Aim, exactly } from '../support/aims.ts'
import { anyOf } from '../support/any-of.ts'
import type { RunningVault } from '../support/vaults.ts'
import { type AttemptWatch, watchAttempts } from './attempt-watch.ts'
import { findUnexplained, settle } from './judge-grants.ts'
import { killAtRandom } from './kill-at-random.ts'
import type { Provider } from './provider.ts'
import { withRig } from './rig.ts'
import { askForToken } from './token-calls.ts'
import type { SeededGrant, VaultDatabase } from './vault-database.ts'

export interface KillStormPlan {
  serverUrl: string
  vaults: number
  /** How many are kept going: one that is lost is replaced. */
  grants: number
  kills: number
  pauseMs: readonly [from: number, to: number]
  /** Seconds that access tokens live. */
  accessTokenTtl: number
  providerMs: number
  /** Seconds for which the provider forgives the reuse of a refresh token; 0 ends the family. */
  reuseInterval: number
  callers: number
  /** Milliseconds for which the vaults may put things right by themselves, before each grant is judged. */
  settleMs: number
}

export interface KillStorm {
  kills: number
  reuseInterval: number
  /** Grants there were in all. */
  grants: number
  refreshes: number
  /** Refresh tokens that were used twice and forgiven. */
  reused: number
  /** Grants lost to an interrupted refresh, and said so. */
  lost: Loss[]
  /** Grants of which the end cannot be explained. */
  unexplained: string[]
  /** Families that the provider ended, with no vault that says so. */
  endedInSilence: number
  /** Seconds after the last restart until every grant had a new token that lives long, or had expired; or the most there were. */
  settledAfter: number
  answers: Record<string, number>
  aims: Aim[]
}

interface Loss {
  /** Seconds between the attempt that was interrupted and the refusal that ended the grant. */
  after: number
  /** When attempts began that were interrupted as well, in seconds since the first; that one included. */
  interruptions: number[]
}

/** Vault processes are killed at random while tokens that live for seconds are kept fresh. */
export async function killStorm(plan: KillStormPlan): Promise<KillStorm> {
  const { reuseInterval, accessTokenTtl, providerMs: tokenLatencyMs } = plan
  const storage = { kind: 'postgres', serverUrl: plan.serverUrl } as const
  const found = await withRig(storage, { reuseInterval, accessTokenTtl, tokenLatencyMs }, async (rig) => {
    const { provider, database } = rig
    const all = await database.seed(await provider.mint(plan.grants), { expiresIn: accessTokenTtl, dueIn: 0 })
    const vaults = await rig.startVaults(plan.vaults)
    const over = new AbortController()
    const callers = startCallers(vaults, all, database, plan.callers, over.signal)
    const replacing = replaceLost(provider, database, all, plan, over.signal)
    const watch = watchAttempts(database)
    try {
      await killAtRandom(vaults, plan)
      over.abort()
      await replacing
      const answers = await callers
      const settledAfter = await settle(provider, database, plan.settleMs)
      const unexplained = await findUnexplained(all, vaults, provider, database)
      return { ...(await countOutcomes(all, provider, database, watch)), answers, settledAfter, unexplained }
    } finally {
      over.abort()
      await watch.stop()
    }
  })
  return { kills: plan.kills, reuseInterval, ...found, aims: judge(found, plan) }
}

/** Some who ask for the token of any grant at any vault, all the time. Resolves to how often each answer came. */
async function startCallers(
  vaults: RunningVault[],
  grants: SeededGrant[],
  { apiKey }: VaultDatabase,
  count: number,
  over: AbortSignal,
): Promise<Record<string, number>> {
  const answers: Record<string, number> = {}
  const call = async () => {
    while (!over.aborted) {
      const [vault, grant] = [anyOf(vaults), anyOf(grants.slice(-50))]
      const { status, code } = await askForToken(vault, `${grant.tokenPath}&max_wait=8`, apiKey)
      const answer = status === 0 ? 'no answer' : `${status} ${code ?? ''}`.trim()
      answers[answer] = (answers[answer] ?? 0) + 1
      await sleep(20 + Math.random() * 80)
    }
  }
  await Promise.all(Array.from({ length: count }, call))
  return answers
}

/** Keeps as many grants going as there were, by new ones in the place of those that were lost. */
async function replaceLost(
  provider: Provider,
  database: VaultDatabase,
  all: SeededGrant[],
  { grants, accessTokenTtl }: KillStormPlan,
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted) {
    await sleep(250)
    const active = await database.db.selectFrom('grants').select('id').where('status', '=', 'active').execute()
    const missing = grants - active.length
    if (missing <= 0) continue
    all.push(...(await database.seed(await provider.mint(missing), { expiresIn: accessTokenTtl, dueIn: 0 })))
  }
}

async function countOutcomes(all: SeededGrant[], provider: Provider, { db }: VaultDatabase, watch: AttemptWatch) {
  const rows = await db.selectFrom('grants').select(['id', 'last_error', 'interrupted_at', 'status']).execute()
  const lost = rows.filter(({ status, last_error }) => status === 'expired' && last_error?.class === 'interrupted')
  const lostIds = new Set(lost.map(({ id }) => id))
  const families = await provider.families()
  const known = all.flatMap(({ id, family }) => {
    const found = families.get(family)
    return found ? [{ ...found, isLost: lostIds.has(id) }] : []
  })
  return {
    grants: all.length,
    refreshes: known.reduce((sum, { refreshes }) => sum + refreshes, 0),
    reused: known.reduce((sum, { reused }) => sum + reused, 0),
    endedInSilence: known.filter(({ revoked, isLost }) => revoked && !isLost).length,
    lost: lost.map(({ id, interrupted_at, last_error }) => {
      const [from, to] = [interrupted_at?.getTime() ?? Number.NaN, Date.parse(last_error?.at ?? '')]
      const since = (at: number) => Math.round((at - from) / 100) / 10
      return {
        after: since(to),
        interruptions: watch
          .of(id)
          .filter((at) => at >= from && at < to - leaseMs)
          .map(since),
      }
    }),
  }
}

/** No attempt that was interrupted is followed by another in less: it is what is left of its lease at the least. */
const leaseMs = 2_500

function judge(
  found: Pick<KillStorm, 'lost' | 'unexplained' | 'endedInSilence' | 'answers'>,
  plan: KillStormPlan,
): Aim[] {
  const { reuseInterval, kills } = plan
  const provider = reuseInterval
    ? `a provider that forgives for ${reuseInterval} s`
    : 'a provider that forgives nothing'
  const where = `${kills} kills, ${provider}`
  // 503 says when to come again, and no answer is what a process that was killed gives.
  const broken = Object.keys(found.answers).filter((answer) => /^5(?!03 )/.test(answer))
  const always = [
    exactly(`${where}: grants that neither work nor say what happened`, '', 0, found.unexplained.length),
    exactly(`${where}: grants that the provider ended and the vaults do not say so`, '', 0, found.endedInSilence),
    exactly(`${where}: answers with which a caller can do nothing`, '', 0, broken.length),
  ]
  if (reuseInterval === 0) return always
  // Whoever takes it up may be killed as well, until the provider forgives no more.
  const lostAtOnce = found.lost.filter(({ interruptions }) => interruptions.length < 2)
  return [...always, exactly(`${where}: grants lost to a single interruption`, '', 0, lostAtOnce.length)]
}
