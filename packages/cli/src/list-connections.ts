import type { AuthconnClient, Connection } from '@authconn/sdk'
import type { Context } from './context.ts'
import { followPages } from './follow-pages.ts'

/** All connections, by name, from however many pages; of the vault of this command line unless another client is given. */
export async function listConnections(ctx: Context, given?: AuthconnClient): Promise<Connection[]> {
  const { signal } = ctx
  const vault = given ?? (await ctx.vault())
  return followPages(async (after) => {
    const page = await vault.call('listConnections', { query: { limit: 200, ...after } }, { signal })
    return { items: page.connections, next: page.next }
  })
}
