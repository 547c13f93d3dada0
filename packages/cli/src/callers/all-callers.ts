import type { Caller } from '@authconn/shared'
import type { Context } from '../context.ts'
import { followPages } from '../follow-pages.ts'

/**
 * All callers that are not revoked, by name, from however many pages; or those that a trust has made, newest first.
 */
export async function allCallers(ctx: Context, trust?: string): Promise<Caller[]> {
  const { signal } = ctx
  const vault = await ctx.vault()
  return followPages(async (after) => {
    const page = await vault.call(
      'listCallers',
      { query: { limit: 200, ...(trust === undefined ? {} : { trust }), ...after } },
      { signal },
    )
    return { items: page.callers, next: page.next }
  })
}
