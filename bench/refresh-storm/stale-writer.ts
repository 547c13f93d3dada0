import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Aim, exactly } from '../support/aims.ts'
import type { RunningVault } from '../support/vaults.ts'
import type { Provider } from './provider.ts'
import { type Rig, withRig } from './rig.ts'
import { askForToken } from './token-calls.ts'
import type { SeededGrant, VaultDatabase } from './vault-database.ts'

export interface StaleWriterPlan {
  serverUrl: string
  /** Each with another grant. */
  repetitions: number
  providerMs: number
}

export interface StaleWriter {
  repetitions: number
  /** In which both processes had tokens from the provider, and the stopped one came back with some to write. */
  bothRefreshed: number
  /** In which the stopped one changed the row after all. */
  rowsChanged: number
  /** In which the tokens that are kept are not good any more. */
  keptTokensUseless: number
  aims: Aim[]
}

/** Longer than a lease. */
const patienceMs = 30_000

/**
 * A vault is stopped in the middle of its provider call and goes on when another has refreshed the grant. The provider
 * forgives the reuse, so that both have tokens and only one may write.
 */
export async function staleWriter(plan: StaleWriterPlan): Promise<StaleWriter> {
  const { serverUrl, repetitions, providerMs: tokenLatencyMs } = plan
  const counts = { bothRefreshed: 0, rowsChanged: 0, keptTokensUseless: 0 }
  await withRig({ kind: 'postgres', serverUrl }, { tokenLatencyMs, reuseInterval: 120 }, async (rig) => {
    const grants = await rig.database.seed(await rig.provider.mint(repetitions), { expiresIn: -60, dueIn: null })
    const [stale, quick] = await rig.startVaults(2)
    if (!stale || !quick) throw new Error('there are not two vaults')
    for (const grant of grants) {
      const { cameBack, changed, useful } = await stallOnce(rig, stale, quick, grant)
      const family = (await rig.provider.families()).get(grant.family)
      if (cameBack && family?.reused === 1) counts.bothRefreshed++
      if (changed) counts.rowsChanged++
      if (!useful) counts.keptTokensUseless++
    }
  })
  const where = 'a process stopped in the middle of a refresh'
  return {
    repetitions,
    ...counts,
    aims: [
      exactly(`${where}: times it came back with tokens of its own`, '', repetitions, counts.bothRefreshed),
      exactly(`${where}: rows that it changed`, '', 0, counts.rowsChanged),
      exactly(`${where}: grants whose tokens are useless`, '', 0, counts.keptTokensUseless),
    ],
  }
}

async function stallOnce(
  { provider, database }: Pick<Rig, 'provider' | 'database'>,
  stale: RunningVault,
  quick: RunningVault,
  grant: SeededGrant,
) {
  const { apiKey } = database
  const path = `${grant.tokenPath}&max_wait=60`
  const warned = await countWarnings(stale)
  const staleAnswer = askForToken(stale, path, apiKey)
  await until('the provider is asked', async () => (await provider.stats()).concurrentTokenRequests.now > 0)
  stale.kill('SIGSTOP')
  // It takes over when the lease has ended.
  const answer = await askForToken(quick, path, apiKey)
  const before = await readRow(database, grant)
  stale.kill('SIGCONT')
  await staleAnswer
  const cameBack = await until(
    'the stopped one has tried to write',
    async () => (await countWarnings(stale)) > warned,
  ).catch(() => false)
  const after = await readRow(database, grant)
  return {
    cameBack,
    changed: answer.status !== 200 || JSON.stringify(before) !== JSON.stringify(after),
    useful: await isUseful(provider, database, quick, grant),
  }
}

async function countWarnings({ logFile }: RunningVault): Promise<number> {
  return (await readFile(logFile, 'utf8')).split('a refresh came too late').length
}

/** What no other process may change any more, its own form of bytes and times included. */
function readRow({ db }: VaultDatabase, { id }: SeededGrant) {
  return db
    .selectFrom('grants')
    .select(['status', 'generation', 'access_token', 'refresh_token', 'expires_at', 'failure_count'])
    .select(['lease_owner', 'lease_until', 'refresh_due_at', 'attempted_at', 'interrupted_at', 'updated_at'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
}

/** Whether the access token is good, and the refresh token too. */
async function isUseful(
  provider: Provider,
  { apiKey, db }: VaultDatabase,
  vault: RunningVault,
  grant: SeededGrant,
) {
  const served = await askForToken(vault, grant.tokenPath, apiKey)
  // As if some time had passed: a refresh cannot be forced right after another.
  await db
    .updateTable('grants')
    .set({ last_refreshed_at: new Date(0) })
    .where('id', '=', grant.id)
    .execute()
  const forced = await askForToken(vault, `${grant.tokenPath}&force_refresh=true`, apiKey)
  const tokens = [served.accessToken ?? '', forced.accessToken ?? '']
  const accepted = await Promise.all(tokens.map(provider.accepts))
  return accepted.every(Boolean) && tokens[0] !== tokens[1]
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<true> {
  const deadline = performance.now() + patienceMs
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`${what}: not in ${patienceMs / 1000} s`)
    await sleep(20)
  }
  return true
}
