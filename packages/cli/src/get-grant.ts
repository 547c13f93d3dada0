import { type AuthconnClient, AuthconnError, type CallOptions } from '@authconn/sdk'
import type { Grant } from '@authconn/shared'
import { followPages } from './follow-pages.ts'

/** The grant of a connection for a subject, or for the application itself. Throws grant_not_found. */
export async function getGrant(
  vault: AuthconnClient,
  name: string,
  subject: string | null,
  options: CallOptions,
): Promise<Grant> {
  const grants = await followPages(async (after) => {
    const query = { limit: 1000, ...after }
    const page = await vault.call('listGrants', { params: { name }, query }, options)
    return { items: page.grants, next: page.next }
  })
  const grant = grants.find((candidate) => candidate.subject === subject)
  if (grant !== undefined) return grant
  throw new AuthconnError('grant_not_found', `${name} has no grant for ${subject ?? 'the application itself'}.`)
}
