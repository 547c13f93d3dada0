import type { Selectable } from 'kysely'
import type { Grant } from '../../core/grant-port.ts'
import type { Connection } from '../../core/ports.ts'
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
  'connections.former_client_secret',
  'connections.former_client_secret_until',
  'connections.token_endpoint_auth_method',
  'connections.client_key',
  'connections.grant_type',
  'connections.token_request',
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
    formerClientSecret: row.former_client_secret,
    formerClientSecretUntil: row.former_client_secret_until,
    tokenEndpointAuthMethod: row.token_endpoint_auth_method,
    clientKey: row.client_key,
    grantType: row.grant_type,
    tokenRequest: row.token_request,
    endpoints: row.endpoints,
    issParameterSupported: row.iss_parameter_supported,
    authorizationParameters: row.authorization_parameters,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

/** What a grant is made of: no lease, and nothing that only statements compare. */
export const grantColumns = [
  'grants.id',
  'grants.workspace_id',
  'grants.connection_id',
  'grants.subject',
  'grants.status',
  'grants.access_token',
  'grants.refresh_token',
  'grants.renewable',
  'grants.redirect_uri',
  'grants.token_type',
  'grants.scope',
  'grants.account',
  'grants.metadata',
  'grants.expires_at',
  'grants.expiry_assumed',
  'grants.lifetime',
  'grants.generation',
  'grants.refresh_token_expires_at',
  'grants.refresh_due_at',
  'grants.blocked',
  'grants.retry_at',
  'grants.failure_count',
  'grants.unrecognized_count',
  'grants.rejections',
  'grants.last_error',
  'grants.last_refreshed_at',
  'grants.last_used_at',
] as const

type GrantColumn = (typeof grantColumns)[number] extends `grants.${infer C}` ? C : never

export type GrantRow = Pick<Selectable<Tables['grants']>, GrantColumn>

type JoinedGrantColumn = { [C in GrantColumn]: `grants.${C} as grant_${C}` }[GrantColumn]

/** The same beside the columns of a connection, which has an id and more of the same names. */
export const joinedGrantColumns = grantColumns.map(
  (column) => `${column} as ${column.replace('.', '_').replace('grants_', 'grant_')}` as JoinedGrantColumn,
)

type JoinedGrantRow = { [C in GrantColumn as `grant_${C}`]: GrantRow[C] | null }

/** The grant of a row with joinedGrantColumns that has one. */
export function toJoinedGrant(row: JoinedGrantRow): Grant {
  const columns = Object.entries(row).flatMap(([name, value]) =>
    name.startsWith('grant_') ? [[name.slice('grant_'.length), value]] : [],
  )
  return toGrant(Object.fromEntries(columns))
}

export function toGrant(row: GrantRow): Grant {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    connectionId: row.connection_id,
    subject: row.subject,
    status: row.status,
    accessToken: row.access_token,
    refreshToken: row.refresh_token,
    refreshable: row.refresh_token !== null || row.renewable,
    renewable: row.renewable,
    redirectUri: row.redirect_uri,
    tokenType: row.token_type,
    scope: row.scope,
    account: row.account,
    metadata: row.metadata,
    expiresAt: row.expires_at,
    expiryAssumed: row.expiry_assumed,
    lifetime: row.lifetime,
    generation: row.generation,
    refreshTokenExpiresAt: row.refresh_token_expires_at,
    refreshDueAt: row.refresh_due_at,
    blocked: row.blocked,
    retryAt: row.retry_at,
    failureCount: row.failure_count,
    unrecognizedCount: row.unrecognized_count,
    rejections: row.rejections,
    lastError: row.last_error,
    lastRefreshedAt: row.last_refreshed_at,
    lastUsedAt: row.last_used_at,
  }
}
