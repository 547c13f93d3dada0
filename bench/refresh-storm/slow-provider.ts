import { type Aim, atMost, exactly } from '../support/aims.ts'
import { openStorm, type StormAnswer } from '../support/storm.ts'
import { withRig } from './rig.ts'

export interface SlowProviderPlan {
  serverUrl: string
  vaults: number
  callers: number
  providerMs: number
  /** Seconds that callers are ready to wait, in turn. */
  maxWaits: number[]
  /** Milliseconds that an answer may come after that. */
  allowanceMs: number
}

export interface SlowProvider {
  vaults: number
  callers: number
  providerMs: number
  withToken: number
  /** 503 refresh_in_progress with Retry-After. */
  toldToRetry: number
  others: string[]
  /** Milliseconds by which the latest answer came after its caller's own deadline; below 0 when all were in time. */
  latestBy: number
  refreshes: number
  replays: number
  servedAfterwards: boolean
  aims: Aim[]
}

interface TokenBody {
  access_token?: string
  code?: string
}

/** A provider that takes longer than some callers wait, and than a lease lasts. */
export async function slowProvider(plan: SlowProviderPlan): Promise<SlowProvider> {
  const { vaults: count, callers, providerMs, maxWaits } = plan
  const maxWait = (n: number) => maxWaits[Math.floor(n / count) % maxWaits.length] ?? 0
  const storage = { kind: 'postgres', serverUrl: plan.serverUrl } as const

  const found = await withRig(storage, { tokenLatencyMs: providerMs }, async ({ provider, database, ...rig }) => {
    const { apiKey } = database
    const [grant] = await database.seed(await provider.mint(1), { expiresIn: -60, dueIn: null })
    if (!grant) throw new Error('there is no grant')
    const vaults = await rig.startVaults(count)
    const storm = await openStorm({ baseUrls: vaults.map(({ url }) => url), connections: callers })
    try {
      const path = (n: number) => `${grant.tokenPath}&max_wait=${maxWait(n)}`
      const { answers } = await storm.send<TokenBody | undefined>({ path, apiKey })
      // Those who were told to come again do so, and do not wait.
      const { answers: later } = await storm.send<TokenBody | undefined>({
        path: `${grant.tokenPath}&max_wait=0`,
        apiKey,
      })
      const tokens = new Set([...answers, ...later].flatMap(({ body }) => body?.access_token ?? []))
      const [token = ''] = tokens
      const family = (await provider.families()).get(grant.family)
      return {
        ...countAnswers(answers),
        latestBy: Math.round(Math.max(...answers.map(({ ms }, n) => ms - maxWait(n) * 1000))),
        refreshes: family?.refreshes ?? 0,
        replays: family?.replays ?? 0,
        servedAfterwards:
          later.every(({ status }) => status === 200) && tokens.size === 1 && (await provider.accepts(token)),
      }
    } finally {
      storm.close()
    }
  })
  return { vaults: count, callers, providerMs, ...found, aims: judge(found, plan) }
}

function countAnswers(answers: StormAnswer<TokenBody | undefined>[]) {
  const isRetryable = ({ status, body, retryAfter }: StormAnswer<TokenBody | undefined>) =>
    status === 503 && body?.code === 'refresh_in_progress' && retryAfter !== undefined
  const others = answers.filter((answer) => answer.status !== 200 && !isRetryable(answer))
  return {
    withToken: answers.filter(({ status }) => status === 200).length,
    toldToRetry: answers.filter(isRetryable).length,
    others: [...new Set(others.map(({ status, body, failure }) => failure ?? `${status} ${body?.code}`))],
  }
}

function judge(
  found: Omit<SlowProvider, 'aims' | 'vaults' | 'callers' | 'providerMs'>,
  plan: SlowProviderPlan,
): Aim[] {
  const where = `a provider that takes ${plan.providerMs / 1000} s`
  const answered = found.withToken + found.toldToRetry
  return [
    exactly(`${where}: refreshes of the grant`, '', 1, found.refreshes),
    exactly(`${where}: replays of a refresh token`, '', 0, found.replays),
    exactly(`${where}: callers with a valid token or told when to come again`, '', plan.callers, answered),
    atMost(`${where}: the latest answer after its caller's own deadline`, 'ms', plan.allowanceMs, found.latestBy),
    exactly(`${where}: the new token is served afterwards`, '', 1, Number(found.servedAfterwards)),
  ]
}
