import type { Trust } from '@authconn/shared'
import type { Context } from '../context.ts'
import { followPages } from '../follow-pages.ts'

/** All trusts that are not revoked, by name, from however many pages. */
export async function allTrusts(ctx: Context): Promise<Trust[]> {
  const { signal } = ctx
  const vault = await ctx.vault()
  return followPages(async (after) => {
    const page = await vault.call('listTrusts', { query: { limit: 200, ...after } }, { signal })
    return { items: page.trusts, next: page.next }
  })
}
