import type { ManageCallers } from '../../core/callers/manage-callers.ts'
import type { WorkspaceStore } from '../../core/workspace-port.ts'
import type { Handlers } from '../operation.ts'
import { cutPage, toPage } from '../page.ts'
import { viewCaller, viewCallerWithKey } from '../views.ts'

export function callerRoutes(deps: {
  manageCallers: ManageCallers
  workspaces: Pick<WorkspaceStore, 'find'>
}): Pick<Handlers, 'getSelf' | 'revokeSelf' | 'createCaller' | 'listCallers' | 'rotateCaller' | 'revokeCaller'> {
  return {
    async getSelf({ caller }) {
      const workspace = await deps.workspaces.find(caller.workspaceId)
      if (!workspace) throw new Error('A caller has no workspace')
      return { ...viewCaller(caller), workspace: workspace.name }
    },
    async revokeSelf({ caller }) {
      return viewCaller(await deps.manageCallers.revokeSelf(caller))
    },
    async createCaller({ caller, body }) {
      return viewCallerWithKey(await deps.manageCallers.create(caller, body))
    },
    async listCallers({ caller, query }) {
      const { page, limit } = toPage(query)
      const { rows, next } = cutPage(
        await deps.manageCallers.list(caller, page, query.trust),
        limit,
        // All that a trust has made are called alike.
        (row) => (query.trust === undefined ? row.name : row.id),
      )
      return { callers: rows.map(viewCaller), next }
    },
    async rotateCaller({ caller, params, body }) {
      return viewCallerWithKey(await deps.manageCallers.rotate(caller, params.id, body.overlap))
    },
    async revokeCaller({ caller, params }) {
      return viewCaller(await deps.manageCallers.revoke(caller, params.id))
    },
  }
}
