import { AuthconnError } from '@authconn/sdk'
import { connectToVault } from '../connect-to-vault.ts'
import { followPages } from '../follow-pages.ts'
import { localProfile } from '../profiles/find-vault.ts'
import type { OpenKeychain } from '../profiles/profile-key.ts'
import { createProfileStore } from '../profiles/profile-store.ts'
import { flagValue } from './words.ts'

/** Milliseconds. Who presses Tab does not wait longer. */
const patience = 1000

/** Names of what there is; none where it cannot be known at once. */
export interface Names {
  connections(): Promise<string[]>
  callers(): Promise<string[]>
  trusts(): Promise<string[]>
  profiles(): Promise<string[]>
  providers(): Promise<string[]>
}

export function createNames(
  env: Readonly<Record<string, string | undefined>>,
  words: readonly string[],
  openKeychain: OpenKeychain,
): Names {
  const wanted = { vaultUrl: flagValue(words, '--vault-url'), profile: flagValue(words, '--profile') }
  const vault = () => connectToVault(env, wanted, openKeychain)
  const signal = AbortSignal.timeout(patience)
  return {
    connections: () =>
      orNone(async () => {
        const client = await vault()
        return followPages(async (after) => {
          const page = await client.call('listConnections', { query: { limit: 1000, ...after } }, { signal })
          return { items: page.connections.map(({ name }) => name), next: page.next }
        })
      }),
    callers: () =>
      orNone(async () => {
        const client = await vault()
        return followPages(async (after) => {
          const page = await client.call('listCallers', { query: { limit: 1000, ...after } }, { signal })
          return { items: page.callers.map(({ name }) => name), next: page.next }
        })
      }),
    providers: () =>
      orNone(async () => {
        const client = await vault()
        const { providers } = await client.call('listProviders', {}, { signal })
        return providers.map(({ id }) => id)
      }),
    trusts: () =>
      orNone(async () => {
        const client = await vault()
        return followPages(async (after) => {
          const page = await client.call('listTrusts', { query: { limit: 1000, ...after } }, { signal })
          return { items: page.trusts.map(({ name }) => name), next: page.next }
        })
      }),
    profiles: () => orNone(async () => [...(await createProfileStore(env).names()), localProfile]),
  }

  /** No vault, no key, no permission, no answer in time: then there is nothing to offer. */
  async function orNone(work: () => Promise<string[]>): Promise<string[]> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof AuthconnError || signal.aborted) return []
      throw error
    }
  }
}
