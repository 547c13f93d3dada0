import { randomUUID } from 'node:crypto'
import { isErrorCode } from '@authconn/shared/errors'
import { openClient } from '../connections/oauth-client.ts'
import { toAuthconnError } from '../connections/provider-errors.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { places } from '../crypto/places.ts'
import { AuthconnError } from '../errors.ts'
import { type OAuth, type OAuthClient, ProviderFailure, type TokenSet } from '../oauth-port.ts'
import { persist } from '../persist.ts'
import type { Connection, Grant, GrantStore, Lease, Log, SealedTokens } from '../ports.ts'
import { backoff } from './backoff.ts'
import type { GiveBackTokens } from './give-back-tokens.ts'
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
  giveBackTokens: GiveBackTokens
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
    let client: OAuthClient
    let tokens: TokenSet
    let askedAt: number
    try {
      if (!grant.refreshToken) throw new AuthconnError('internal_error', 'A refresh without a refresh token')
      client = await openClient(keyring, connection)
      const refreshToken = await keyring.open(places.refreshToken(grant), grant.refreshToken)
      // What the database can fail at is done before the provider is asked: afterwards there is something to lose.
      await keyring.prepare(grant.workspaceId)
      askedAt = performance.now()
      tokens = await oauth.refresh(client, refreshToken)
    } catch (error) {
      return recoverOrThrow(grant, lease, error)
    }
    const sealed = await sealTokens(keyring, grant, tokens, askedAt)
    const saved = await persist(
      () => grants.saveRefreshed(lease, { ...sealed, age: performance.now() - askedAt }),
      deps.sleep,
    ).catch((error) => {
      // Said in so many words, since the next attempt may find that the provider has ended the former refresh token.
      log.error({ grant: grant.id, connection: grant.connectionId, error }, 'refreshed tokens could not be stored')
      throw error
    })
    const current = await persist(() => grants.findById(grant.id), deps.sleep)
    if (!saved) await settle(connection, client, tokens, sealed, current?.grant)
    if (!current) throw gone()
    return current
  }

  /** The grant had changed when the new tokens came, or this write had gone through without our hearing of it. */
  async function settle(
    connection: Connection,
    client: OAuthClient,
    tokens: TokenSet,
    sealed: SealedTokens,
    current: Grant | undefined,
  ): Promise<void> {
    if (current?.accessToken && Buffer.from(current.accessToken).equals(sealed.accessToken)) return
    log.warn({ connection: connection.id, grant: current?.id }, 'a refresh came too late: the grant had changed')
    // Not when it was authorized or refreshed anew: revoking one token ends all of a person's grant at some providers.
    if (!current || current.status === 'revoked') {
      await deps.giveBackTokens({ connection, client, grantId: current?.id }, tokens)
    }
  }

  async function recoverOrThrow(grant: Grant, lease: Lease, error: unknown): Promise<GrantNow> {
    const known = toAuthconnError(error)
    const current = await read(grant.id)
    // Someone else authorized or refreshed meanwhile: what this attempt met says nothing of the grant any more.
    if (current.grant.generation !== grant.generation) return current
    const dead = error instanceof ProviderFailure && error.kind === 'invalid_grant'
    const retryIn =
      error instanceof ProviderFailure && !dead ? backoff(current.grant.failureCount, error.retryAfter) : 0
    const { code, message } = known instanceof AuthconnError ? known : new AuthconnError('internal_error')
    await grants.saveFailure(lease, {
      error: { code, detail: message },
      status: dead ? 'expired' : 'active',
      retryIn,
    })
    log.warn({ grant: grant.id, connection: grant.connectionId, code, error, retryIn }, 'refresh failed')
    throw withRetry(known, retryIn)
  }

  async function read(id: string) {
    const found = await grants.findById(id)
    if (!found) throw gone()
    return found
  }
}

/** The error that the last refresh left, for callers that come while it backs off. */
export function lastFailure({ grant, now }: GrantNow): AuthconnError {
  const { code, detail } = grant.lastError ?? {}
  const seconds = grant.retryAt ? Math.max(1, Math.ceil((grant.retryAt.getTime() - now.getTime()) / 1000)) : 1
  return new AuthconnError(isErrorCode(code) ? code : 'provider_unavailable', detail, { retryAfter: seconds })
}

function withRetry(error: unknown, retryIn: number): unknown {
  if (!(error instanceof AuthconnError) || retryIn === 0) return error
  return new AuthconnError(error.code, error.message, { cause: error.cause, retryAfter: Math.ceil(retryIn) })
}

function gone(): AuthconnError {
  return new AuthconnError('connection_not_found', 'The connection was deleted meanwhile')
}
