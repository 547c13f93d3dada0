import { randomUUID } from 'node:crypto'
import { type Permission, permissionNames } from '@authconn/shared'
import { vaultPermissions } from '../callers/permissions.ts'
import type { NewCallerRow } from '../ports.ts'

/** Whoever administers one workspace. */
export function administratorOf(workspaceId: string, name: string): NewCallerRow {
  return unlimited(workspaceId, name, ofWorkspace)
}

/** Whoever administers the workspace that comes with the vault: its owner, in most vaults, so it may see the figures. */
export function firstAdministratorOf(workspaceId: string, name: string): NewCallerRow {
  return unlimited(workspaceId, name, [...ofWorkspace, 'metrics:read'])
}

/** Whoever makes workspaces. It can give its permissions to others like it, and has none that opens a connection. */
export function operatorOf(workspaceId: string, name: string): NewCallerRow {
  return unlimited(workspaceId, name, ['vault:operate', 'metrics:read', 'caller:manage', 'audit:read'])
}

/** No caller sees refresh tokens by default; an administrator can make one that does. */
const ofWorkspace = permissionNames.filter(
  (permission) => permission !== 'refresh_token:read' && !vaultPermissions.includes(permission),
)

function unlimited(workspaceId: string, name: string, permissions: Permission[]): NewCallerRow {
  return {
    id: randomUUID(),
    workspaceId,
    name,
    permissions,
    connections: ['*'],
    subjects: null,
    addresses: null,
    expiresAt: null,
  }
}
