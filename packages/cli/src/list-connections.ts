import type { Connection } from '@authconn/sdk'
import type { Context } from './context.ts'
import { followPages } from './follow-pages.ts'

/** All connections, by name, from however many pages. */
export async function listConnections(ctx: Context): Promise<Connection[]> {
  const { signal } = ctx
  const vault = await ctx.vault()
  return followPages(async (after) => {
    const page = await vault.call('listConnections', { query: { limit: 200, ...after } }, { signal })
    return { items: page.connections, next: page.next }
  })
}
