import { AuthconnError } from '../errors.ts'
import type { GrantNow, GrantStore } from '../grant-port.ts'

/** Throws connection_not_found: grants go with their connection only. */
export async function getGrant(
  grants: Pick<GrantStore, 'findById'>,
  id: string,
): Promise<GrantNow & { leased: boolean }> {
  const found = await grants.findById(id)
  if (!found) throw new AuthconnError('connection_not_found', 'The connection was deleted meanwhile')
  return found
}
