import type { ErrorCode } from '@authconn/shared/errors'
import { requirePermission } from '../callers/permissions.ts'
import { getConnection } from '../connections/read-connections.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { places } from '../crypto/places.ts'
import { AuthconnError } from '../errors.ts'
import type { Caller, Connection, ConnectionStore, Grant } from '../ports.ts'
import type { Secret } from '../secret.ts'
import { type GrantNow, lastFailure, type RefreshGrant } from './refresh-grant.ts'
import { freshness, isServable } from './refresh-policy.ts'

export interface FreshToken {
  accessToken: Secret
  tokenType: string
  expiresAt: Date | null
  scope: string | null
  /** Only for callers with refresh_token:read. */
  refreshToken: Secret | null
}

export type IssueToken = (by: Caller, connectionName: string, subject: string) => Promise<FreshToken>

/**
 * A valid access token, refreshed first when need be.
 * Throws permission_denied, connection_not_found, grant_pending, grant_expired, grant_revoked, sealed_value_damaged,
 * and what RefreshGrant throws when there is no valid token to serve instead.
 */
export function createIssueToken(deps: {
  connections: ConnectionStore
  keyring: Keyring
  refreshGrant: RefreshGrant
  /** Takes work that goes on after the answer, so that a shutdown waits for it. */
  inBackground(work: Promise<unknown>): void
}): IssueToken {
  return async function issueToken(by, connectionName, subject) {
    requirePermission(by, 'token:read', { connection: connectionName, subject })
    const { connection, grant, now } = await getConnection(deps.connections, by, connectionName, subject)
    if (!grant) throw dead(undefined, connectionName, subject)
    const fresh = await freshen(connection, { grant, now })
    return open(by, fresh)
  }

  async function freshen(connection: Connection, seen: GrantNow): Promise<Grant> {
    switch (freshness(seen.grant, seen.now)) {
      case 'serve':
        return seen.grant
      case 'serve_and_refresh':
        // Its failure is kept with the grant and logged there; this caller has a valid token.
        deps.inBackground(deps.refreshGrant(connection, seen.grant))
        return seen.grant
      case 'refresh':
        return refreshed(connection, seen)
      case 'back_off':
        throw lastFailure(seen)
      case 'dead':
        throw dead(seen.grant, connection.name, seen.grant.subject)
    }
  }

  async function refreshed(connection: Connection, seen: GrantNow): Promise<Grant> {
    const waitedFrom = performance.now()
    let current: GrantNow
    try {
      current = await deps.refreshGrant(connection, seen.grant)
    } catch (error) {
      const now = new Date(seen.now.getTime() + performance.now() - waitedFrom)
      if (error instanceof AuthconnError && servableIn.has(error.code) && isServable(seen.grant, now))
        return seen.grant
      throw error
    }
    if (!isServable(current.grant, current.now)) {
      if (current.grant.status !== 'active') throw dead(current.grant, connection.name, current.grant.subject)
      throw new AuthconnError(
        'provider_answer_invalid',
        'The provider gave an access token that has ended already',
      )
    }
    return current.grant
  }

  async function open(by: Caller, grant: Grant): Promise<FreshToken> {
    if (!grant.accessToken) throw new AuthconnError('internal_error', 'An active grant has no access token')
    const maySeeRefreshToken = by.permissions.includes('refresh_token:read')
    return {
      accessToken: await deps.keyring.open(places.accessToken(grant), grant.accessToken),
      tokenType: grant.tokenType,
      expiresAt: grant.expiresAt,
      scope: grant.scope,
      refreshToken:
        maySeeRefreshToken && grant.refreshToken
          ? await deps.keyring.open(places.refreshToken(grant), grant.refreshToken)
          : null,
    }
  }
}

/** Failures of a refresh that say nothing against the token that is still valid. */
const servableIn: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'provider_unavailable',
  'provider_answer_invalid',
  'provider_address_refused',
  'client_rejected',
  'refresh_in_progress',
])

function dead(grant: Grant | undefined, connectionName: string, subject: string): AuthconnError {
  const whose = subject ? `"${connectionName}" for the subject "${subject}"` : `"${connectionName}"`
  if (!grant || grant.status === 'pending') {
    return new AuthconnError('grant_pending', `The connection ${whose} has not been authorized yet`)
  }
  if (grant.status === 'revoked')
    return new AuthconnError('grant_revoked', `The authorization of ${whose} was revoked`)
  const why = grant.lastError?.detail ?? 'the access token has ended and the provider gave no refresh token'
  return new AuthconnError('grant_expired', `The authorization of ${whose} has expired: ${why}`)
}
