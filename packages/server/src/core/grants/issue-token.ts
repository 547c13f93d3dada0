import type { ErrorCode } from '@authconn/shared/errors'
import { requirePermission } from '../callers/permissions.ts'
import { getConnection } from '../connections/read-connections.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { AuthconnError } from '../errors.ts'
import type { Grant, GrantNow, GrantStore } from '../grant-port.ts'
import type { Caller, Connection, ConnectionStore } from '../ports.ts'
import { requireNoSubject } from './create-grant.ts'
import { getGrant } from './get-grant.ts'
import { type FreshToken, openToken } from './open-token.ts'
import { inProgress, lastFailure, type RefreshGrant } from './refresh-grant.ts'
import { decide, isServable, type Wish } from './refresh-policy.ts'

export interface TokenWish extends Wish {
  subject?: string | undefined
  /** Seconds to wait for a refresh. */
  maxWait?: number | undefined
}

/** As much of a caller as it takes to give it a token. */
export type TokenCaller = Pick<Caller, 'workspaceId' | 'name' | 'permissions' | 'connections' | 'subjects'>

export type IssueToken = (by: TokenCaller, connectionName: string, wish?: TokenWish) => Promise<FreshToken>

const defaultMaxWait = 15

/**
 * A valid access token, refreshed first when need be.
 * Throws permission_denied, connection_not_found, grant_pending, grant_expired, grant_revoked, min_ttl_unreachable,
 * grant_not_refreshable, sealed_value_damaged, and what RefreshGrant throws when there is no valid token to serve instead.
 */
export function createIssueToken(deps: {
  connections: Pick<ConnectionStore, 'find'>
  grants: Pick<GrantStore, 'findById' | 'ensure'>
  keyring: Keyring
  refreshGrant: RefreshGrant
  sleep(ms: number, signal: AbortSignal): Promise<unknown>
}): IssueToken {
  return async function issueToken(by, connectionName, wish = {}) {
    const { subject = '' } = wish
    requirePermission(by, 'token:read', { connection: connectionName, subject })
    const { connection, grant, now } = await getConnection(deps.connections, by, connectionName, subject)
    const seen = grant ? { grant, now } : await begin(connection, subject)
    return openToken(deps.keyring, by, await freshen(connection, seen, wish))
  }

  /**
   * The grant of the first fetch, where nobody's consent is needed. Only of the client's own: whose account else it may act
   * for is decided by those who may authorize.
   */
  async function begin(connection: Connection, subject: string): Promise<GrantNow> {
    requireNoSubject(connection, subject)
    if (!connection.tokenRequest || subject !== '') throw dead(undefined, connection.name, subject)
    const made = await deps.grants.ensure(connection, subject)
    if (!made) throw new AuthconnError('connection_not_found', 'The connection was deleted meanwhile')
    return getGrant(deps.grants, made.id)
  }

  /** The grant with a token that is good, or the error that says why there is none. */
  async function freshen(connection: Connection, seen: GrantNow, wish: TokenWish): Promise<Grant> {
    switch (decide(seen.grant, seen.now, wish)) {
      case 'serve':
        return seen.grant
      case 'serve_and_refresh':
        // Its failure is kept with the grant and logged there; this caller has a valid token.
        deps.refreshGrant(connection, seen.grant).catch(() => undefined)
        return seen.grant
      case 'refresh':
        return refreshed(connection, seen, wish)
      case 'back_off':
        throw lastFailure(seen)
      case 'unreachable':
        throw unreachable(connection, seen, wish)
      case 'not_refreshable':
        throw new AuthconnError('grant_not_refreshable', `"${connection.name}" has no refresh token`)
      case 'dead':
        throw dead(seen.grant, connection.name, seen.grant.subject)
    }
  }

  async function refreshed(connection: Connection, seen: GrantNow, wish: TokenWish): Promise<Grant> {
    const rejected = wish.rejectedVersion === seen.grant.generation
    let current: GrantNow
    try {
      const refresh = deps.refreshGrant(connection, seen.grant, {
        forced: wish.force === true || rejected,
        rejected,
      })
      current = await inTime(refresh, (wish.maxWait ?? defaultMaxWait) * 1000)
    } catch (error) {
      if (!(error instanceof AuthconnError && servableIn.has(error.code))) throw error
      // As it is now: it may have been revoked or authorized anew while we waited.
      const now = await deps.grants.findById(seen.grant.id)
      if (now && isServable(now.grant, now.now, wish)) return now.grant
      throw now && now.grant.status !== 'active' ? dead(now.grant, connection.name, now.grant.subject) : error
    }
    // What insisted on a refresh has had it.
    const { minTtl } = wish
    if (isServable(current.grant, current.now, { minTtl })) return current.grant
    if (current.grant.status !== 'active') throw dead(current.grant, connection.name, current.grant.subject)
    if (minTtl !== undefined) throw unreachable(connection, current, wish)
    throw new AuthconnError('provider_answer_invalid', 'The provider gave an access token that has ended already')
  }

  /** The refresh goes on when its time is over: somebody else will have its token. */
  async function inTime(refresh: Promise<GrantNow>, ms: number): Promise<GrantNow> {
    const over = new AbortController()
    try {
      const late = deps.sleep(ms, over.signal).then(() => {
        throw inProgress()
      })
      return await Promise.race([refresh, late])
    } finally {
      over.abort()
    }
  }
}

/** Failures of a refresh that say nothing against the token that is still valid. */
const servableIn: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'provider_unavailable',
  'provider_answer_invalid',
  'provider_address_refused',
  'provider_host_not_allowed',
  'client_rejected',
  'token_request_rejected',
  'refresh_in_progress',
])

function unreachable(connection: Connection, { grant, now }: GrantNow, { minTtl }: Wish): AuthconnError {
  const left = grant.expiresAt ? Math.max(0, Math.floor((grant.expiresAt.getTime() - now.getTime()) / 1000)) : 0
  const lifetime = grant.lifetime === null ? '' : ` of its ${grant.lifetime}`
  const why = grant.refreshable ? 'and a new one would not have more' : 'and there is no refresh token'
  return new AuthconnError(
    'min_ttl_unreachable',
    `The token of "${connection.name}" has ${left} s${lifetime} left, ${minTtl} were asked for, ${why}`,
  )
}

function dead(grant: Grant | undefined, connectionName: string, subject: string): AuthconnError {
  const whose = subject ? `"${connectionName}" for the subject "${subject}"` : `"${connectionName}"`
  if (!grant || grant.status === 'pending') {
    return new AuthconnError('grant_pending', `The connection ${whose} has not been authorized yet`)
  }
  if (grant.status === 'revoked')
    return new AuthconnError('grant_revoked', `The authorization of ${whose} was revoked`)
  const why = grant.lastError?.detail ?? endedWithoutRefreshToken
  return new AuthconnError('grant_expired', `The authorization of ${whose} has expired: ${why}`)
}

export const endedWithoutRefreshToken = 'the access token has ended and the provider gave no refresh token'
