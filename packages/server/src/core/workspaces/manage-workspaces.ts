import type { NewWorkspace } from '@authconn/shared'
import type { CallerWithKey } from '../callers/manage-callers.ts'
import { requireLastingKey, requirePermission } from '../callers/permissions.ts'
import type { KeyEncryptionKeys } from '../crypto/key-encryption-key.ts'
import { AuthconnError } from '../errors.ts'
import type { Caller, Page } from '../ports.ts'
import type { Workspace, WorkspaceStore } from '../workspace-port.ts'
import { administratorOf } from './first-callers.ts'
import { newWorkspace } from './new-workspace.ts'

export interface ManageWorkspaces {
  /** With its data key and its first administrator. Throws permission_denied, workspace_exists. */
  create(by: Caller, wanted: NewWorkspace): Promise<{ workspace: Workspace; administrator: CallerWithKey }>
  /** Throws permission_denied. */
  list(by: Caller, page: Page): Promise<Workspace[]>
}

export function createManageWorkspaces(deps: {
  workspaces: WorkspaceStore
  keks: KeyEncryptionKeys
}): ManageWorkspaces {
  return {
    async create(by, { name }) {
      requirePermission(by, 'vault:operate')
      requireLastingKey(by)
      const { row, apiKey } = await newWorkspace(deps.keks, name, (id) => administratorOf(id, 'admin'))
      const made = await deps.workspaces.insert(row)
      if (!made) throw new AuthconnError('workspace_exists', `There is a workspace named "${name}" already`)
      return { workspace: made.workspace, administrator: { caller: made.firstCaller, apiKey } }
    },
    async list(by, page) {
      requirePermission(by, 'vault:operate')
      return deps.workspaces.list(page)
    },
  }
}
