import { AuthconnError } from '@authconn/sdk'
import type { Grant } from '@authconn/shared'
import type { Context } from './context.ts'
import { followPages } from './follow-pages.ts'

/** The grant of a subject of a connection. Throws grant_not_found. */
export async function getGrant(ctx: Context, name: string, subject: string): Promise<Grant> {
  const { signal } = ctx
  const vault = await ctx.vault()
  const grants = await followPages(async (after) => {
    const query = { limit: 1000, ...after }
    const page = await vault.call('listGrants', { params: { name }, query }, { signal })
    return { items: page.grants, next: page.next }
  })
  const grant = grants.find((candidate) => candidate.subject === subject)
  if (grant === undefined) throw new AuthconnError('grant_not_found', `${name} has no grant for ${subject}.`)
  return grant
}
