import type { Selectable } from 'kysely'
import type { Authorization } from '../../core/ports.ts'
import type { Tables } from './database.ts'

/** `name`: of its connection. */
export function toAuthorization(
  row: Selectable<Tables['authorizations']> & { name: string; expired: boolean },
): Authorization {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    connectionId: row.connection_id,
    connectionName: row.name,
    callerId: row.caller_id,
    subject: row.subject,
    status: row.status === 'pending' && row.expired ? 'expired' : row.status,
    redirectUri: row.redirect_uri,
    scopes: row.scopes,
    stateHash: row.state_hash,
    secrets: row.secrets,
    failure: row.failure,
    failureCode: row.failure_code,
    expiresAt: row.expires_at,
  }
}
