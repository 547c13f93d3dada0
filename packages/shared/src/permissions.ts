/** What a caller may do. Each is further limited by the caller's connection patterns and subjects. */
export const permissions = {
  'token:read': 'Fetch access tokens',
  'refresh_token:read': 'See the refresh token in a token answer; without it no caller ever does',
  'connection:read': 'See connections and the status of their grants',
  'connection:manage': 'Create, update, delete and revoke connections',
  'connection:authorize': 'Run the consent flow of a connection',
  'metrics:read': 'Read /metrics: figures of the whole vault, without names of connections or subjects',
  'caller:manage': 'Create, list and revoke callers, with at most what the caller holds itself',
  'workspace:admin': 'Give callers any permission in the workspace, also one the caller does not hold itself',
} as const

export type Permission = keyof typeof permissions

export const permissionNames = Object.keys(permissions) as Permission[]
