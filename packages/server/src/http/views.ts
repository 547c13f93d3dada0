import type * as Contract from '@authconn/shared'
import { shownStatus } from '../core/grants/refresh-policy.ts'
import type { RevokedGrant } from '../core/grants/revoke-grant.ts'
import type { Authorization, Caller, ConnectionWithGrant, Grant } from '../core/ports.ts'

export function viewConnection({
  connection,
  grant,
  pendingRevocations,
  now,
}: ConnectionWithGrant): Contract.Connection {
  return {
    name: connection.name,
    type: 'TYPE_OAUTH2',
    provider: connection.provider,
    provider_url: connection.providerUrl,
    issuer_url: connection.issuerUrl,
    client_id: connection.clientId,
    token_endpoint_auth_method: connection.tokenEndpointAuthMethod,
    endpoints: connection.endpoints,
    ...grantState(grant, now),
    pending_revocations: pendingRevocations,
    created_at: connection.createdAt.toISOString(),
    updated_at: connection.updatedAt.toISOString(),
  }
}

export function viewGrant(grant: Grant, now: Date): Contract.Grant {
  return { subject: viewSubject(grant.subject), ...grantState(grant, now) }
}

export function viewAuthorization(authorization: Authorization): Contract.Authorization {
  return {
    id: authorization.id,
    connection: authorization.connectionName,
    subject: viewSubject(authorization.subject),
    status: authorization.status,
    redirect_uri: authorization.redirectUri,
    scopes: authorization.scopes,
    failure: authorization.failure,
    expires_at: authorization.expiresAt.toISOString(),
  }
}

export function viewRevocation(connection: string, revoked: RevokedGrant): Contract.Revocation {
  return {
    connection,
    subject: viewSubject(revoked.grant.subject),
    status: revoked.grant.status,
    upstream: revoked.upstream,
    detail: revoked.detail,
  }
}

export function viewCaller(caller: Caller): Contract.Caller {
  return {
    id: caller.id,
    name: caller.name,
    permissions: caller.permissions,
    connections: caller.connections,
    subjects: caller.subjects,
    created_at: caller.createdAt.toISOString(),
    expires_at: iso(caller.expiresAt),
    revoked_at: iso(caller.revokedAt),
  }
}

export function iso(date: Date | null | undefined): string | null {
  return date?.toISOString() ?? null
}

function viewSubject(subject: string): string | null {
  return subject === '' ? null : subject
}

function grantState(grant: Grant | undefined, now: Date) {
  return {
    status: shownStatus(grant, now),
    scope: grant?.scope ?? null,
    expires_at: iso(grant?.expiresAt),
    refreshable: grant?.refreshToken != null,
    last_refreshed_at: iso(grant?.lastRefreshedAt),
    last_error: grant?.lastError ?? null,
  }
}
