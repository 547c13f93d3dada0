/** What a caller may do. Each is further limited by the caller's connection patterns and subjects. */
export const permissions = {
  'token:read': 'Fetch access tokens',
  'refresh_token:read': 'See the refresh token in a token answer; without it no caller ever does',
  'connection:read': 'See connections and the status of their grants',
  'connection:manage': 'Create, update, delete and revoke connections',
  'connection:authorize': 'Run the consent flow of a connection',
  'audit:read': 'Read and verify the audit log of the workspace',
  'metrics:read': 'Read /metrics: figures of the whole vault, without names of connections or subjects',
  'caller:manage': 'Create, list, rotate and revoke callers that hold no more than the caller itself',
  'workspace:admin':
    'Give callers permissions that the caller does not hold itself, apart from those that reach beyond the workspace',
  'vault:operate': 'Make and list workspaces, and nothing inside them; nobody can give it who does not hold it',
} as const

export type Permission = keyof typeof permissions

export const permissionNames = Object.keys(permissions) as Permission[]
