import type { Revocation } from '@authconn/shared'
import { requirePermission } from '../callers/permissions.ts'
import { getConnection } from '../connections/read-connections.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { places } from '../crypto/places.ts'
import { AuthconnError } from '../errors.ts'
import type { Grant, GrantStore } from '../grant-port.ts'
import type { Caller, Connection, ConnectionStore, RevocationStore } from '../ports.ts'
import type { Secret } from '../secret.ts'
import { sealForRevocation } from './revokable-tokens.ts'
import type { RevokeUpstream } from './revoke-upstream.ts'

export interface RevokedGrant {
  grant: Grant
  upstream: Revocation['upstream']
  /** Why the provider did not revoke; null otherwise. */
  detail: string | null
}

/** A grant that is revoked here, with what is left to do at the provider. */
export interface RevokedLocally {
  grant: Grant
  /** The revocation to attempt, or what there is to say instead. */
  queued: { revocationId: string } | Omit<RevokedGrant, 'grant'>
}

/**
 * Makes a grant's tokens unusable here, in one transaction that also queues their revocation at the provider.
 * Throws connection_not_found when the grant is gone.
 */
export type RevokeLocally = (connection: Connection, grant: Grant) => Promise<RevokedLocally>

export function createRevokeLocally(deps: {
  grants: GrantStore
  revocations: RevocationStore
  keyring: Keyring
}): RevokeLocally {
  return async function revokeLocally(connection, seen) {
    let grant = seen
    for (;;) {
      if (grant.status === 'revoked') return { grant, queued: await stillToDo(grant) }
      const { revocation, report } = await prepare(connection, grant)
      if (await deps.grants.revoke(grant, revocation)) {
        const revoked: Grant = {
          ...grant,
          status: 'revoked',
          accessToken: null,
          refreshToken: null,
          refreshable: false,
          expiresAt: null,
        }
        return { grant: revoked, queued: revocation ? { revocationId: revocation.id } : report }
      }
      // A refresh got in between: what must be revoked now are its tokens.
      const current = await deps.grants.findById(grant.id)
      if (!current) throw new AuthconnError('connection_not_found', 'The connection was deleted meanwhile')
      grant = current.grant
    }
  }

  /** Revoking what is revoked changes nothing, but must not hide that the provider has not done its part. */
  async function stillToDo(grant: Grant): Promise<Omit<RevokedGrant, 'grant'>> {
    const pending = await deps.revocations.findForGrant(grant.id)
    return pending
      ? { upstream: 'retrying', detail: pending.lastError }
      : { upstream: 'nothing_to_revoke', detail: null }
  }

  async function prepare(connection: Connection, grant: Grant) {
    const nothing = { revocation: null, report: { upstream: 'nothing_to_revoke', detail: null } as const }
    if (!grant.accessToken && !grant.refreshToken) return nothing
    if (!connection.endpoints.revocation_endpoint) {
      return { revocation: null, report: { upstream: 'unsupported', detail: null } as const }
    }
    const refreshToken = await openOrNull(places.refreshToken(grant), grant.refreshToken)
    const accessToken = await openOrNull(places.accessToken(grant), grant.accessToken)
    if (!refreshToken && !accessToken) {
      const detail =
        "The stored tokens are damaged and cannot be sent to the provider. Revoke them in the provider's console."
      return { revocation: null, report: { upstream: 'failed', detail } as const }
    }
    const tokens = { refreshToken, accessToken }
    return { revocation: await sealForRevocation(deps.keyring, grant.workspaceId, tokens), report: nothing.report }
  }

  /** A damaged token cannot be revoked at the provider, but must not keep the other one, or this vault, from it. */
  async function openOrNull(
    place: Parameters<Keyring['open']>[0],
    sealed: Uint8Array | null,
  ): Promise<Secret | null> {
    if (!sealed) return null
    try {
      return await deps.keyring.open(place, sealed)
    } catch (error) {
      if (error instanceof AuthconnError && error.code === 'sealed_value_damaged') return null
      throw error
    }
  }
}

export type RevokeGrant = (by: Caller, connectionName: string, subject: string) => Promise<RevokedGrant>

/** Throws permission_denied, connection_not_found, grant_not_found. */
export function createRevokeGrant(deps: {
  connections: ConnectionStore
  grants: Pick<GrantStore, 'ensure' | 'findById'>
  revokeLocally: RevokeLocally
  revokeUpstream: RevokeUpstream
}): RevokeGrant {
  return async function revokeGrant(by, connectionName, subject) {
    requirePermission(by, 'connection:manage', { connection: connectionName, subject })
    const { connection, grant: found } = await getConnection(deps.connections, by, connectionName, subject)
    const grant = found ?? (await begin(connection, subject))
    if (!grant) throw new AuthconnError('grant_not_found')
    const revoked = await deps.revokeLocally(connection, grant)
    if (!('revocationId' in revoked.queued)) return { grant: revoked.grant, ...revoked.queued }
    return { grant: revoked.grant, ...(await deps.revokeUpstream(revoked.queued.revocationId)) }
  }

  /** The first fetch would begin it, whoever made that: it is revoked before. Of a subject somebody has to begin it first. */
  async function begin(connection: Connection, subject: string): Promise<Grant | undefined> {
    if (!connection.tokenRequest || subject !== '') return undefined
    const made = await deps.grants.ensure(connection, subject)
    return made && (await deps.grants.findById(made.id))?.grant
  }
}
