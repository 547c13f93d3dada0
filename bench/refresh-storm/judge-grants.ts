import { setTimeout as sleep } from 'node:timers/promises'
import { secondsFromNow } from '../../packages/server/src/adapters/postgres/grant-sql.ts'
import { anyOf } from '../support/any-of.ts'
import type { RunningVault } from '../support/vaults.ts'
import type { Provider } from './provider.ts'
import { askForToken } from './token-calls.ts'
import type { SeededGrant, VaultDatabase } from './vault-database.ts'

const settledLife = 3600

/**
 * Lets the vaults give each grant a token that lives long, by themselves, where it has not expired. Resolves to the seconds
 * that this took.
 */
export async function settle(provider: Provider, { db }: VaultDatabase, patienceMs: number): Promise<number> {
  await provider.change({ accessTokenTtl: settledLife })
  const started = performance.now()
  for (;;) {
    const left = await db
      .selectFrom('grants')
      .select('id')
      .where('status', '=', 'active')
      .where('expires_at', '<', secondsFromNow(settledLife / 2))
      .execute()
    // What is left then is judged with the others.
    if (left.length === 0 || performance.now() - started > patienceMs) break
    await sleep(100)
  }
  return Math.round((performance.now() - started) / 100) / 10
}

/**
 * Forces a refresh of each grant that does not say that it was lost to an interruption. Resolves to a description of those
 * that did not get a token which the provider accepts.
 */
export async function findUnexplained(
  grants: SeededGrant[],
  vaults: RunningVault[],
  provider: Provider,
  { db, apiKey }: VaultDatabase,
): Promise<string[]> {
  // As if some time had passed: a refresh cannot be forced right after another.
  await db
    .updateTable('grants')
    .set({ last_refreshed_at: secondsFromNow(-60) })
    .where('last_refreshed_at', 'is not', null)
    .execute()
  const unexplained: string[] = []
  for (const { id, subject, tokenPath } of grants) {
    const before = await readState(db, id)
    if (before.isLost) continue
    const answer = await askForToken(anyOf(vaults), `${tokenPath}&force_refresh=true`, apiKey)
    const isNew = (answer.version ?? 0) > before.generation
    if (isNew && answer.accessToken && (await provider.accepts(answer.accessToken))) continue
    // Where no vault had tried it again yet, this has shown it.
    const { isLost, words } = await readState(db, id)
    if (isLost) continue
    unexplained.push(`${subject} is ${words}, and a forced refresh gave ${answer.status} ${answer.code ?? ''}`)
  }
  return unexplained
}

async function readState(db: VaultDatabase['db'], id: string) {
  const { status, generation, last_error } = await db
    .selectFrom('grants')
    .select(['status', 'generation', 'last_error'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return {
    generation,
    isLost: status === 'expired' && last_error?.class === 'interrupted',
    words: `${status} ${last_error?.class ?? ''}`.trim(),
  }
}
