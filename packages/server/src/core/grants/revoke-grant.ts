import { randomUUID } from 'node:crypto'
import type { Revocation } from '@authconn/shared'
import { requirePermission } from '../callers/permissions.ts'
import { getConnection } from '../connections/read-connections.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { places } from '../crypto/places.ts'
import { AuthconnError } from '../errors.ts'
import type { Caller, Connection, ConnectionStore, Grant, GrantStore } from '../ports.ts'
import { Secret } from '../secret.ts'
import type { RevokableToken, RevokeUpstream } from './revoke-upstream.ts'

export interface RevokedGrant {
  grant: Grant
  upstream: Revocation['upstream']
  /** Why the provider did not revoke; null otherwise. */
  detail: string | null
}

/** `now: false` leaves the provider to the background job. */
export type RevokeTokens = (connection: Connection, grant: Grant, when?: { now: boolean }) => Promise<RevokedGrant>

/**
 * Makes a grant's tokens unusable here in one transaction that also queues their revocation at the provider,
 * then tries that at once. Throws connection_not_found when the grant is gone.
 */
export function createRevokeTokens(deps: {
  grants: GrantStore
  keyring: Keyring
  revokeUpstream: RevokeUpstream
}): RevokeTokens {
  return async function revokeTokens(connection, seen, when = { now: true }) {
    let grant = seen
    for (;;) {
      const queued = await queueFor(connection, grant)
      if (await deps.grants.revoke(grant, queued)) {
        const revoked: Grant = {
          ...grant,
          status: 'revoked',
          accessToken: null,
          refreshToken: null,
          expiresAt: null,
        }
        return { grant: revoked, ...(await upstream(connection, grant, queued?.id, when.now)) }
      }
      // A refresh got in between: what must be revoked now are its tokens.
      const current = await deps.grants.findById(grant.id)
      if (!current) throw new AuthconnError('connection_not_found', 'The connection was deleted meanwhile')
      grant = current.grant
    }
  }

  async function queueFor(connection: Connection, grant: Grant) {
    if (!connection.endpoints.revocation_endpoint || !holdsTokens(grant)) return null
    const tokens: RevokableToken[] = []
    // The refresh token first: where revoking it ends the whole grant, the access token is only to make sure.
    if (grant.refreshToken) {
      const token = await deps.keyring.open(places.refreshToken(grant), grant.refreshToken)
      tokens.push({ token: token.reveal(), hint: 'refresh_token' })
    }
    if (grant.accessToken) {
      const token = await deps.keyring.open(places.accessToken(grant), grant.accessToken)
      tokens.push({ token: token.reveal(), hint: 'access_token' })
    }
    const row = { id: randomUUID(), workspaceId: grant.workspaceId }
    const sealed = await deps.keyring.seal(places.revocationTokens(row), new Secret(JSON.stringify(tokens)))
    return { id: row.id, tokens: sealed }
  }

  async function upstream(connection: Connection, grant: Grant, queued: string | undefined, now: boolean) {
    if (!holdsTokens(grant)) return { upstream: 'nothing_to_revoke', detail: null } as const
    if (!connection.endpoints.revocation_endpoint) return { upstream: 'unsupported', detail: null } as const
    if (!queued || !now) return { upstream: 'retrying', detail: null } as const
    return deps.revokeUpstream(queued)
  }
}

function holdsTokens(grant: Grant): boolean {
  return grant.accessToken !== null || grant.refreshToken !== null
}

export type RevokeGrant = (by: Caller, connectionName: string, subject: string) => Promise<RevokedGrant>

/** Throws permission_denied, connection_not_found, grant_not_found. */
export function createRevokeGrant(deps: {
  connections: ConnectionStore
  revokeTokens: RevokeTokens
}): RevokeGrant {
  return async function revokeGrant(by, connectionName, subject) {
    requirePermission(by, 'connection:manage', { connection: connectionName, subject })
    const { connection, grant } = await getConnection(deps.connections, by, connectionName, subject)
    if (!grant) throw new AuthconnError('grant_not_found')
    return deps.revokeTokens(connection, grant)
  }
}
