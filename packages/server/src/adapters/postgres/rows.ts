import type { Selectable } from 'kysely'
import type { Connection, Grant } from '../../core/ports.ts'
import type { Tables } from './database.ts'

export const connectionColumns = [
  'connections.id',
  'connections.workspace_id',
  'connections.name',
  'connections.provider',
  'connections.provider_url',
  'connections.issuer_url',
  'connections.issuer',
  'connections.client_id',
  'connections.client_secret',
  'connections.token_endpoint_auth_method',
  'connections.endpoints',
  'connections.iss_parameter_supported',
  'connections.authorization_parameters',
  'connections.created_at',
  'connections.updated_at',
] as const

export function toConnection(row: Omit<Selectable<Tables['connections']>, 'deleted_at'>): Connection {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    name: row.name,
    provider: row.provider,
    providerUrl: row.provider_url,
    issuerUrl: row.issuer_url,
    issuer: row.issuer,
    clientId: row.client_id,
    clientSecret: row.client_secret,
    tokenEndpointAuthMethod: row.token_endpoint_auth_method,
    endpoints: row.endpoints,
    issParameterSupported: row.iss_parameter_supported,
    authorizationParameters: row.authorization_parameters,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

type GrantRow = Omit<Selectable<Tables['grants']>, 'lease_owner' | 'lease_until' | 'created_at' | 'updated_at'>

export function toGrant(row: GrantRow): Grant {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    connectionId: row.connection_id,
    subject: row.subject,
    status: row.status,
    accessToken: row.access_token,
    refreshToken: row.refresh_token,
    tokenType: row.token_type,
    scope: row.scope,
    expiresAt: row.expires_at,
    lifetime: row.lifetime,
    generation: row.generation,
    retryAt: row.retry_at,
    failureCount: row.failure_count,
    lastError: row.last_error,
    lastRefreshedAt: row.last_refreshed_at,
  }
}
