import type { Connection, Provider } from '@authconn/shared'
import type { CreateConnection } from '../../core/connections/create-connection.ts'
import type { DeleteConnection } from '../../core/connections/delete-connection.ts'
import type { ReadConnections } from '../../core/connections/read-connections.ts'
import type { UpdateConnection } from '../../core/connections/update-connection.ts'
import type { CreateGrant } from '../../core/grants/create-grant.ts'
import type { RevokeGrant } from '../../core/grants/revoke-grant.ts'
import type { ConnectionWithGrant } from '../../core/ports.ts'
import type { Handlers } from '../operation.ts'
import { cutPage, toPage } from '../page.ts'
import { viewConnection, viewEvent, viewGrant, viewRevocation } from '../views.ts'

type Operations =
  | 'listProviders'
  | 'createConnection'
  | 'listConnections'
  | 'getConnection'
  | 'updateConnection'
  | 'deleteConnection'
  | 'listGrants'
  | 'createGrant'
  | 'listEvents'
  | 'revokeGrant'

export function connectionRoutes(deps: {
  listProviders(): readonly Provider[]
  registrationAt(provider: string | null): Connection['registration']
  createConnection: CreateConnection
  readConnections: ReadConnections
  updateConnection: UpdateConnection
  deleteConnection: DeleteConnection
  createGrant: CreateGrant
  revokeGrant: RevokeGrant
}): Pick<Handlers, Operations> {
  const view = (found: ConnectionWithGrant) =>
    viewConnection(found, deps.registrationAt(found.connection.provider))
  return {
    async listProviders() {
      return { providers: [...deps.listProviders()] }
    },
    async createConnection({ caller, body }) {
      return view(await deps.createConnection(caller, body))
    },
    async listConnections({ caller, query }) {
      const { page, limit } = toPage(query)
      const found = await deps.readConnections.list(caller, page)
      const { rows, next } = cutPage(found, limit, ({ connection }) => connection.name)
      return { connections: rows.map(view), next }
    },
    async getConnection({ caller, params }) {
      return view(await deps.readConnections.get(caller, params.name))
    },
    async updateConnection({ caller, params, body }) {
      return view(await deps.updateConnection(caller, params.name, body))
    },
    async deleteConnection({ caller, params }) {
      const { connection, revocations } = await deps.deleteConnection(caller, params.name)
      return {
        name: connection.name,
        revocations: revocations.map((revoked) => viewRevocation(connection.name, revoked)),
      }
    },
    async listGrants({ caller, params, query }) {
      const { page, limit } = toPage(query)
      const { grants, now } = await deps.readConnections.listGrants(caller, params.name, page)
      const { rows, next } = cutPage(grants, limit, (grant) => grant.subject)
      return { grants: rows.map((grant) => viewGrant(grant, now)), next }
    },
    async createGrant({ caller, params, body }) {
      const { grant, now } = await deps.createGrant(caller, params.name, body.subject ?? '')
      return viewGrant(grant, now)
    },
    async listEvents({ caller, params, query }) {
      const { page, limit } = toPage(query)
      const found = await deps.readConnections.listEvents(caller, params.name, { ...page, subject: query.subject })
      const { rows, next } = cutPage(found, limit, (event) => event.id)
      return { events: rows.map(viewEvent), next }
    },
    async revokeGrant({ caller, params, body }) {
      return viewRevocation(params.name, await deps.revokeGrant(caller, params.name, body.subject ?? ''))
    },
  }
}
