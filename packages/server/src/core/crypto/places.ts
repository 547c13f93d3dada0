import type { Place } from './envelope.ts'

interface Row {
  id: string
  workspaceId: string
}

/** A column of the database that holds sealed values. */
export interface SealedColumn {
  readonly table: string
  readonly column: string
}

function place(table: string, column: string): ((row: Row) => Place) & SealedColumn {
  const placeOf = (row: Row): Place => ({ workspace: row.workspaceId, table, column, row: row.id })
  return Object.assign(placeOf, { table, column })
}

/** Every column that holds sealed values: what is not here is not sealed again when keys are rotated. */
export const places = {
  clientSecret: place('connections', 'client_secret'),
  formerClientSecret: place('connections', 'former_client_secret'),
  accessToken: place('grants', 'access_token'),
  refreshToken: place('grants', 'refresh_token'),
  authorizationSecrets: place('authorizations', 'secrets'),
  revocationTokens: place('revocations', 'tokens'),
}
