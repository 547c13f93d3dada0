import type * as Contract from '@authconn/shared'
import type { AuditRow } from '../core/audit-port.ts'
import type { CallerWithKey } from '../core/callers/manage-callers.ts'
import type { Grant, GrantEvent } from '../core/grant-port.ts'
import { shownStatus } from '../core/grants/refresh-policy.ts'
import type { RevokedGrant } from '../core/grants/revoke-grant.ts'
import type { Authorization, Caller, ConnectionWithGrant } from '../core/ports.ts'
import type { Trust } from '../core/trust-port.ts'
import type { Workspace } from '../core/workspace-port.ts'

export function viewConnection(
  { connection, grant, pendingRevocations, now }: ConnectionWithGrant,
  registration: Contract.Connection['registration'],
): Contract.Connection {
  return {
    name: connection.name,
    type: 'TYPE_OAUTH2',
    provider: connection.provider,
    provider_url: connection.providerUrl,
    issuer_url: connection.issuerUrl,
    client_id: connection.clientId,
    token_endpoint_auth_method: connection.tokenEndpointAuthMethod,
    client_key: connection.clientKey,
    grant_type: connection.grantType,
    token_request: connection.tokenRequest,
    former_client_secret_until: iso(untilLater(connection.formerClientSecretUntil, now)),
    endpoints: connection.endpoints,
    registration,
    ...grantState(grant, now),
    pending_revocations: pendingRevocations,
    created_at: connection.createdAt.toISOString(),
    updated_at: connection.updatedAt.toISOString(),
  }
}

export function viewGrant(grant: Grant, now: Date): Contract.Grant {
  return { subject: viewSubject(grant.subject), ...grantState(grant, now) }
}

export function viewEvent(event: GrantEvent): Contract.Event {
  return {
    id: event.id,
    type: event.type,
    connection: event.connectionName,
    subject: viewSubject(event.subject),
    at: event.at.toISOString(),
    code: event.code,
    class: event.class,
    detail: event.detail,
  }
}

export function auditId({ stream, number }: AuditRow): string {
  return `${stream}:${number}`
}

export function viewAudit(row: AuditRow): Contract.AuditRecord {
  return {
    id: auditId(row),
    at: row.at.toISOString(),
    actor: row.actor,
    actor_name: row.actorName,
    action: row.action,
    connection: row.connection,
    target: row.target,
    subject: row.subject === null ? null : viewSubject(row.subject),
    outcome: row.outcome,
    reason: row.reason,
    address: row.address,
    detail: row.detail === null ? null : JSON.parse(row.detail),
    request_id: row.requestId,
  }
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
    failure_code: authorization.failureCode,
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
    addresses: caller.addresses,
    created_at: caller.createdAt.toISOString(),
    expires_at: iso(caller.expiresAt),
    revoked_at: iso(caller.revokedAt),
    last_used_at: iso(caller.lastUsedAt),
    former_key_until: iso(caller.formerKeyUntil),
    trust: caller.trustId === null ? null : caller.name.replace(/^trust:/, ''),
    identity: caller.identity,
  }
}

export function viewCallerWithKey({ caller, apiKey }: CallerWithKey): Contract.CreatedCaller {
  return { ...viewCaller(caller), api_key: apiKey.reveal() }
}

export function viewTrust(trust: Trust): Contract.Trust {
  return {
    id: trust.id,
    name: trust.name,
    preset: trust.preset,
    issuer: trust.issuer,
    audience: trust.audience,
    jwks_uri: trust.jwksUri,
    jwks: trust.jwks as Contract.Trust['jwks'],
    algorithms: trust.algorithms,
    claims: trust.claims,
    max_age: trust.maxAge,
    single_use: trust.singleUse,
    permissions: trust.permissions,
    connections: trust.connections,
    subjects: trust.subjects,
    addresses: trust.addresses,
    key_lifetime: trust.keyLifetime,
    login: trust.login,
    created_at: trust.createdAt.toISOString(),
    expires_at: iso(trust.expiresAt),
    revoked_at: iso(trust.revokedAt),
    last_used_at: iso(trust.lastUsedAt),
  }
}

export function viewWorkspace(workspace: Workspace): Contract.Workspace {
  return { id: workspace.id, name: workspace.name, created_at: workspace.createdAt.toISOString() }
}

export function iso(date: Date | null | undefined): string | null {
  return date?.toISOString() ?? null
}

function viewSubject(subject: string): string | null {
  return subject === '' ? null : subject
}

function grantState(grant: Grant | undefined, now: Date) {
  const refreshable = grant?.refreshable ?? false
  return {
    status: shownStatus(grant, now),
    scope: grant?.scope ?? null,
    account: grant?.account ?? null,
    metadata: grant?.metadata ?? {},
    expires_at: iso(grant?.expiresAt),
    expires_at_assumed: grant?.expiryAssumed ?? false,
    refreshable,
    refresh_token_expires_at: iso(grant?.refreshTokenExpiresAt),
    last_refreshed_at: iso(grant?.lastRefreshedAt),
    next_refresh_at: grant?.status === 'active' && refreshable ? iso(notBefore(now, grant.refreshDueAt)) : null,
    failures: grant?.failureCount ?? 0,
    last_error: grant?.lastError ?? null,
  }
}

/** What is due, or under way, is due now. */
function notBefore(now: Date, moment: Date | null): Date | null {
  return moment && moment < now ? now : moment
}

/** Forgotten by then, whether or not the job has come by. */
function untilLater(moment: Date | null, now: Date): Date | null {
  return moment && moment > now ? moment : null
}
