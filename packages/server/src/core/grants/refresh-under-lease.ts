import { callAsClient } from '../connections/oauth-client.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { places } from '../crypto/places.ts'
import { AuthconnError } from '../errors.ts'
import type { Grant, GrantNow, GrantStore, Lease, RefreshFailure, SealedTokens } from '../grant-port.ts'
import { type OAuth, ProviderFailure, type RefreshedTokens, type TokenSet } from '../oauth-port.ts'
import { persist } from '../persist.ts'
import { persistSealed } from '../persist-sealed.ts'
import type { Connection, Log } from '../ports.ts'
import type { Ticket } from './circuit-breaker.ts'
import { getGrant } from './get-grant.ts'
import type { GiveBackTokens } from './give-back-tokens.ts'
import { judgeFailure } from './judge-failure.ts'
import type { RefreshMeter } from './refresh-meter.ts'
import { sealTokens } from './seal-tokens.ts'

export interface Attempt {
  connection: Connection
  grant: Grant
  lease: Lease
  ticket: Ticket
  /** A former attempt whose outcome nobody knows. */
  interruptedAt: Date | null
  /** An API refused the token that is to be replaced. */
  rejected: boolean
}

/**
 * One attempt at the provider, by whoever holds the lease, and what came of it in the database: the new tokens, or the
 * failure with what it means. A grant that changed meanwhile is left as it is, and comes back.
 */
export type RefreshUnderLease = (attempt: Attempt) => Promise<GrantNow>

export function createRefreshUnderLease(deps: {
  grants: GrantStore
  keyring: Keyring
  oauth: Pick<OAuth, 'refresh' | 'requestToken'>
  giveBackTokens: GiveBackTokens
  meter: RefreshMeter
  log: Log
  sleep(ms: number): Promise<unknown>
  /** Takes work that goes on whether or not somebody waits for it, so that a shutdown does. */
  inBackground(work: Promise<unknown>): void
}): RefreshUnderLease {
  const { grants, keyring, meter, log } = deps

  return async function refreshUnderLease(attempt) {
    const askedAt = performance.now()
    let tokens: RefreshedTokens
    try {
      tokens = await ask(attempt)
    } catch (error) {
      return keepFailure(attempt, error, askedAt)
    }
    attempt.ticket.answered()
    return keepTokens(attempt, tokens, askedAt)
  }

  async function ask({ connection, grant }: Attempt): Promise<RefreshedTokens> {
    const { tokenRequest } = connection
    if (tokenRequest) {
      await keyring.prepare(grant.workspaceId)
      const wanted = { ...tokenRequest, subject: grant.subject }
      return callAsClient(keyring, connection, (client) => deps.oauth.requestToken(client, wanted))
    }
    if (!grant.refreshToken) throw new AuthconnError('internal_error', 'A refresh without a refresh token')
    const refreshToken = await keyring.open(places.refreshToken(grant), grant.refreshToken)
    // What the database can fail at is done before the provider is asked: afterwards there is something to lose.
    await keyring.prepare(grant.workspaceId)
    const { redirectUri } = grant
    return callAsClient(keyring, connection, (client) => deps.oauth.refresh(client, refreshToken, redirectUri))
  }

  async function keepTokens(attempt: Attempt, tokens: RefreshedTokens, askedAt: number): Promise<GrantNow> {
    const { connection, grant, lease, rejected } = attempt
    const { metadata } = tokens
    const { sealed, outcome: saved } = await persistSealed(
      deps,
      grant.workspaceId,
      () => sealTokens(keyring, grant, tokens, askedAt, grant.renewable ? 'renewable' : true),
      (each) => grants.saveRefreshed(lease, { ...each, age: performance.now() - askedAt }, { rejected, metadata }),
    ).catch((error) => {
      // Said in so many words, since the next attempt may find that the provider has ended the former refresh token.
      log.error({ grant: grant.id, connection: connection.id, error }, 'refreshed tokens could not be stored')
      throw error
    })
    meter.refreshed(connection, 'refreshed', performance.now() - askedAt)
    if (saved) {
      if (grant.blocked) deps.inBackground(grants.unblock(connection.id, unblockSpread))
      return saved
    }
    const current = await persist(() => grants.findById(grant.id), deps.sleep)
    await settle(attempt, tokens, sealed, current?.grant)
    return current ?? getGrant(grants, grant.id)
  }

  /** The grant had changed when the new tokens came, or this write had gone through without our hearing of it. */
  async function settle(
    { connection }: Attempt,
    tokens: TokenSet,
    sealed: SealedTokens,
    current: Grant | undefined,
  ): Promise<void> {
    if (current?.accessToken && Buffer.from(current.accessToken).equals(sealed.accessToken)) return
    meter.leaseLost(connection)
    log.warn({ connection: connection.id, grant: current?.id }, 'a refresh came too late: the grant had changed')
    // Not when it was authorized or refreshed anew: revoking one token ends all of a person's grant at some providers.
    if (!current || current.status === 'revoked') {
      await deps.giveBackTokens({ connection, grantId: current?.id }, tokens)
    }
  }

  async function keepFailure(attempt: Attempt, error: unknown, askedAt: number): Promise<GrantNow> {
    const { connection, grant, lease, interruptedAt } = attempt
    tellBreaker(attempt.ticket, error)
    const current = await persist(() => grants.findById(grant.id), deps.sleep)
    // Someone else authorized, refreshed or deleted meanwhile: what this attempt met says nothing of the grant any more.
    if (current?.grant.generation !== grant.generation) return current ?? getGrant(grants, grant.id)
    const verdict = judgeFailure(error, current.grant, { interruptedAt, clientAsOf: connection.updatedAt })
    const rotated = error instanceof ProviderFailure ? error.rotated : undefined
    const { outcome: saved } = await persistSealed(
      deps,
      grant.workspaceId,
      async () => (rotated ? keyring.seal(places.refreshToken(grant), rotated) : null),
      (sealed) => grants.saveFailure(lease, { ...verdict, rotated: sealed }),
    )
    if (!saved) {
      meter.leaseLost(connection)
      return getGrant(grants, grant.id)
    }
    meter.refreshed(connection, verdict.error.class, performance.now() - askedAt)
    const { error: kept, retryIn } = verdict
    log.warn(
      { grant: grant.id, connection: connection.id, code: kept.code, class: kept.class, error, retryIn },
      'refresh failed',
    )
    throw error instanceof ProviderFailure ? asAnswer(error, verdict) : error
  }
}

/** Seconds over which the other grants of a connection are tried again, once one has shown that its client is accepted. */
const unblockSpread = 10

/** 429 limits this client: it says nothing against the provider, and nothing for it. */
function tellBreaker(ticket: Ticket, error: unknown): void {
  if (!(error instanceof ProviderFailure) || error.status === 429) ticket.unused()
  else if (error.kind === 'passing' || error.kind === 'unintelligible') ticket.failed()
  else ticket.answered()
}

/** What callers are told, in the words that are kept with the grant. */
function asAnswer(cause: ProviderFailure, { error, retryIn }: Omit<RefreshFailure, 'rotated'>): AuthconnError {
  return new AuthconnError(error.code, error.detail, {
    cause,
    ...(retryIn === null ? {} : { retryAfter: Math.ceil(retryIn) }),
  })
}
