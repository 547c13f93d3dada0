import { requirePermission } from '../callers/permissions.ts'
import { AuthconnError } from '../errors.ts'
import type { EventStore, Grant, GrantEvent, GrantStore } from '../grant-port.ts'
import type { Caller, ConnectionStore, ConnectionWithGrant, Page } from '../ports.ts'

export interface ReadConnections {
  list(by: Caller, page: Page): Promise<ConnectionWithGrant[]>
  /** Throws permission_denied, connection_not_found. */
  get(by: Caller, name: string): Promise<ConnectionWithGrant>
  /** The application grant and those of the subjects the caller is for. Throws permission_denied, connection_not_found. */
  listGrants(by: Caller, name: string, page: Page): Promise<{ grants: Grant[]; now: Date }>
  /** Of the grants that listGrants tells of, newest first. Throws permission_denied, connection_not_found. */
  listEvents(by: Caller, name: string, page: Page & { subject: string | undefined }): Promise<GrantEvent[]>
}

export function createReadConnections(deps: {
  connections: ConnectionStore
  grants: Pick<GrantStore, 'list'>
  events: Pick<EventStore, 'list'>
}): ReadConnections {
  const get: ReadConnections['get'] = async (by, name) => {
    requirePermission(by, 'connection:read', { connection: name })
    return getConnection(deps.connections, by, name)
  }
  return {
    get,
    async list(by, page) {
      requirePermission(by, 'connection:read')
      return deps.connections.list(by.workspaceId, by.connections, page)
    },
    async listGrants(by, name, page) {
      const { connection } = await get(by, name)
      return deps.grants.list(connection.id, by.subjects, page)
    },
    async listEvents(by, name, page) {
      requirePermission(by, 'connection:read', {
        connection: name,
        ...(page.subject && { subject: page.subject }),
      })
      const { connection } = await getConnection(deps.connections, by, name)
      return deps.events.list(connection.id, by.subjects, page)
    },
  }
}

/** The connection with the grant of one subject. Throws connection_not_found. */
export async function getConnection(
  connections: Pick<ConnectionStore, 'find'>,
  by: Pick<Caller, 'workspaceId'>,
  name: string,
  subject = '',
): Promise<ConnectionWithGrant> {
  const found = await connections.find(by.workspaceId, name, subject)
  if (!found) throw new AuthconnError('connection_not_found', `There is no connection named "${name}"`)
  return found
}
