import type { ManageWorkspaces } from '../../core/workspaces/manage-workspaces.ts'
import type { Handlers } from '../operation.ts'
import { cutPage, toPage } from '../page.ts'
import { viewCallerWithKey, viewWorkspace } from '../views.ts'

export function workspaceRoutes(deps: {
  manageWorkspaces: ManageWorkspaces
}): Pick<Handlers, 'createWorkspace' | 'listWorkspaces'> {
  return {
    async createWorkspace({ caller, body }) {
      const { workspace, administrator } = await deps.manageWorkspaces.create(caller, body)
      return { ...viewWorkspace(workspace), administrator: viewCallerWithKey(administrator) }
    },
    async listWorkspaces({ caller, query }) {
      const { page, limit } = toPage(query)
      const { rows, next } = cutPage(await deps.manageWorkspaces.list(caller, page), limit, (row) => row.name)
      return { workspaces: rows.map(viewWorkspace), next }
    },
  }
}
