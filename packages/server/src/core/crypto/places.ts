import type { Place } from './envelope.ts'

interface Row {
  id: string
  workspaceId: string
}

const place =
  (table: string, column: string) =>
  (row: Row): Place => ({ workspace: row.workspaceId, table, column, row: row.id })

/** Every column that holds sealed values. */
export const places = {
  clientSecret: place('connections', 'client_secret'),
  formerClientSecret: place('connections', 'former_client_secret'),
  accessToken: place('grants', 'access_token'),
  refreshToken: place('grants', 'refresh_token'),
  authorizationSecrets: place('authorizations', 'secrets'),
  revocationTokens: place('revocations', 'tokens'),
}
