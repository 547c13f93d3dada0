import { randomUUID } from 'node:crypto'
import { openClient } from '../connections/oauth-client.ts'
import { toAuthconnError } from '../connections/provider-errors.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { places } from '../crypto/places.ts'
import { AuthconnError } from '../errors.ts'
import { type OAuth, ProviderFailure } from '../oauth-port.ts'
import type { Connection, Grant, GrantStore, Lease, Log } from '../ports.ts'
import { backoff } from './backoff.ts'
import { sealTokens } from './seal-tokens.ts'

export type GrantNow = { grant: Grant; now: Date }

/**
 * Refreshes a grant through its provider, once, however many ask, here and on other replicas.
 * Resolves to the grant after the refresh, whoever did it.
 * Throws AuthconnError grant_expired, client_rejected, provider_unavailable, provider_answer_invalid,
 * provider_address_refused, refresh_in_progress, connection_not_found, sealed_value_damaged.
 */
export type RefreshGrant = (connection: Connection, grant: Grant) => Promise<GrantNow>

export function createRefreshGrant(deps: {
  grants: GrantStore
  keyring: Keyring
  oauth: OAuth
  log: Log
  /** Longer than the longest provider call and what follows it. */
  leaseSeconds: number
  /** Milliseconds that a caller waits for somebody else's refresh. */
  waitMs: number
  sleep(ms: number): Promise<unknown>
}): RefreshGrant {
  const { grants, keyring, oauth, log } = deps
  const running = new Map<string, Promise<GrantNow>>()

  return function refreshGrant(connection, grant) {
    const key = `${grant.id} ${grant.generation}`
    const shared = running.get(key)
    if (shared) return shared
    const refresh = leaseOrWait(connection, grant).finally(() => running.delete(key))
    running.set(key, refresh)
    return refresh
  }

  async function leaseOrWait(connection: Connection, grant: Grant): Promise<GrantNow> {
    const lease: Lease = { grantId: grant.id, generation: grant.generation, owner: randomUUID() }
    const deadline = performance.now() + deps.waitMs
    for (let pause = 20; ; pause = Math.min(pause * 1.5, 250)) {
      if (await grants.takeLease(lease, deps.leaseSeconds)) return refreshUnderLease(connection, grant, lease)
      const current = await read(grant.id)
      if (current.grant.generation !== grant.generation || current.grant.status !== 'active') return current
      if (!current.leased && current.grant.retryAt && current.grant.retryAt > current.now) {
        // The one we waited for failed; asking the provider again at once would only repeat it.
        throw lastFailure(current)
      }
      if (performance.now() + pause > deadline)
        throw new AuthconnError('refresh_in_progress', undefined, { retryAfter: 1 })
      await deps.sleep(pause)
    }
  }

  async function refreshUnderLease(connection: Connection, grant: Grant, lease: Lease): Promise<GrantNow> {
    try {
      if (!grant.refreshToken)
        throw new AuthconnError('grant_expired', 'There is no refresh token to refresh with')
      const client = await openClient(keyring, connection)
      const refreshToken = await keyring.open(places.refreshToken(grant), grant.refreshToken)
      const askedAt = performance.now()
      const tokens = await oauth.refresh(client, refreshToken)
      const saved = await grants.saveRefreshed(lease, await sealTokens(keyring, grant, tokens, askedAt))
      if (!saved) log.warn({ grant: grant.id }, 'a refresh came too late: the grant had changed meanwhile')
      return await read(grant.id)
    } catch (error) {
      return recoverOrThrow(grant, lease, error)
    }
  }

  async function recoverOrThrow(grant: Grant, lease: Lease, error: unknown): Promise<GrantNow> {
    const known = toAuthconnError(error)
    if (!(known instanceof AuthconnError)) throw error
    const current = await read(grant.id)
    // Someone else authorized or refreshed meanwhile: what this attempt met says nothing of the grant any more.
    if (current.grant.generation !== grant.generation) return current
    const dead = error instanceof ProviderFailure && error.kind === 'invalid_grant'
    const retryIn = dead ? 0 : backoff(current.grant.failureCount, known.retryAfter)
    await grants.saveFailure(lease, {
      error: { code: known.code, detail: known.message },
      status: dead ? 'expired' : 'active',
      retryIn,
    })
    log.warn(
      { grant: grant.id, connection: grant.connectionId, code: known.code, error, retryIn },
      'refresh failed',
    )
    throw withRetry(known, retryIn)
  }

  async function read(id: string) {
    const found = await grants.findById(id)
    if (!found) throw new AuthconnError('connection_not_found', 'The connection was deleted meanwhile')
    return found
  }
}

/** The error that the last refresh left, for callers that come while it backs off. */
export function lastFailure({ grant, now }: GrantNow): AuthconnError {
  const code = grant.lastError?.code === 'client_rejected' ? 'client_rejected' : 'provider_unavailable'
  const seconds = grant.retryAt ? Math.max(1, Math.ceil((grant.retryAt.getTime() - now.getTime()) / 1000)) : 1
  return new AuthconnError(code, grant.lastError?.detail, { retryAfter: seconds })
}

function withRetry(error: AuthconnError, retryIn: number): AuthconnError {
  if (error.code !== 'provider_unavailable') return error
  return new AuthconnError(error.code, error.message, {
    cause: error.cause,
    retryAfter: Math.max(1, Math.ceil(retryIn)),
  })
}
