import { randomUUID } from 'node:crypto'
import type { TokenExchange } from '@authconn/shared'
import type { AuditLog } from '../audit/audit-log.ts'
import { createApiKey, hashApiKey } from '../callers/api-key.ts'
import { AuthconnError } from '../errors.ts'
import type { RateLimits } from '../limits/rate-limits.ts'
import type { Caller, Log } from '../ports.ts'
import { Secret } from '../secret.ts'
import {
  IdentityRefusal,
  KeysUnavailable,
  type Trust,
  type TrustStore,
  type VerifiedToken,
  type VerifyToken,
} from '../trust-port.ts'
import { createFindFit } from './find-fit.ts'
import { loginNonce } from './login-nonce.ts'
import { peekIssuer } from './peek-issuer.ts'
import { createRecordExchange, type IdentityMeter, type KnownOfExchange, type Origin } from './record-exchange.ts'
import { hashToken, secondsOfUse } from './token-use.ts'

export type ExchangeToken = (wanted: TokenExchange, from: Origin) => Promise<IssuedKey>

export interface IssuedKey {
  apiKey: Secret
  caller: Caller
  /** Seconds. */
  expiresIn: number
  trust: Trust
  workspace: string
}

/** Trusts of one issuer that are looked at for a token that names none, the oldest: anybody can send one. */
const mostCandidates = 200
/** So often a token is taken that is not for one time only: what asks more often is no job or pod that goes about its work. */
const mostUses = 1000
/** Milliseconds from the arrival of a token to its refusal, so that it does not tell by its time how far it got. */
const refusalTime = 200

/**
 * Exchanges an OpenID Connect token for the API key of a short-lived caller, by the oldest trust of the workspace that it fits.
 * Throws identity_refused without a reason, which the audit log, the log and the figures have; and
 * identity_provider_unavailable when the keys of the issuer cannot be had, too_many_requests when the trust has given all
 * the keys of its minute. The record is durable before the key leaves.
 */
export function createExchangeToken(deps: {
  trusts: TrustStore
  verifyToken: VerifyToken
  audit: Pick<AuditLog, 'record'>
  meter: IdentityMeter
  rateLimits: Pick<RateLimits, 'findSpent' | 'exchanged'>
  onLimited(): void
  log: Log
  clock(): Date
  sleep(ms: number): Promise<unknown>
  inBackground(work: Promise<unknown>): void
}): ExchangeToken {
  const { trusts, rateLimits } = deps
  const findFit = createFindFit(deps)
  const recordExchange = createRecordExchange(deps)

  return async function exchangeToken(wanted, from) {
    const earliest = deps.sleep(refusalTime)
    const known: KnownOfExchange = {}
    try {
      const issued = await issue(wanted, from, known)
      await recordExchange.accepted(known, from)
      // Nothing depends on it, and what fails now is noted with the next exchange.
      deps.inBackground(trusts.touch(issued.trust.id).catch(() => undefined))
      return issued
    } catch (error) {
      const answer = toAnswer(error)
      await recordExchange.failed(known, from, answer, error)
      if (error instanceof IdentityRefusal) await earliest
      throw answer
    }
  }

  async function issue(wanted: TokenExchange, from: Origin, known: KnownOfExchange): Promise<IssuedKey> {
    const token = new Secret(wanted.subject_token)
    const workspace = wanted.workspace ?? 'default'
    const candidates = await findCandidates(token, workspace, wanted.trust, known)
    const { trust, verified } = await findFit(token, candidates, from, known)
    if (!isForThisVault(trust, verified, wanted.nonce_secret)) throw new IdentityRefusal('nonce')
    // Not before it is verified: others must not use up what is left.
    demandRoom(trust)
    const apiKey = createApiKey()
    const issued = await trusts.issue({
      trustId: trust.id,
      tokenHash: hashToken(token, verified, trust.issuer),
      mostUses: trust.singleUse ? 1 : mostUses,
      rememberFor: secondsOfUse(verified, deps.clock()),
      callerId: randomUUID(),
      callerName: `trust:${trust.name}`,
      identity: String(verified.claims.sub),
      keyHash: hashApiKey(apiKey),
      lifetime: trust.keyLifetime,
    })
    if (issued === 'replayed') throw new IdentityRefusal('replayed')
    if (issued === 'over') throw new IdentityRefusal('trust_over')
    known.caller = issued.caller
    rateLimits.exchanged(trust.id, deps.clock().getTime())
    return { ...issued, apiKey, trust, workspace }
  }

  function demandRoom({ id, name }: Trust): void {
    const now = deps.clock().getTime()
    const spent = rateLimits.findSpent(id, now)
    if (!spent) return
    deps.onLimited()
    const { policy, tally } = spent
    throw new AuthconnError(
      'too_many_requests',
      `The trust "${name}" has given ${policy.quota} keys in ${policy.windowMs / 1000} seconds`,
      { retryAfter: Math.ceil((tally.endsAt - now) / 1000) },
    )
  }

  async function findCandidates(
    token: Secret,
    workspace: string,
    name: string | undefined,
    known: KnownOfExchange,
  ) {
    const issuer = peekIssuer(token)
    // Asked even for what is no token, whose refusal then takes as much and is told to the workspace as well.
    const found = await trusts.findForIssuer(workspace, issuer ?? 'none', { name, most: mostCandidates })
    if (found) known.workspaceId = found.workspaceId
    if (issuer === undefined) throw new IdentityRefusal('malformed')
    const candidates = found?.trusts ?? []
    if (candidates.length === 0) throw new IdentityRefusal('unknown_issuer')
    return candidates
  }
}

/** The audience of an ID token is a client, which any vault that somebody logs in to may name, and be shown a token of. */
function isForThisVault({ login }: Trust, { claims }: VerifiedToken, secret: string | undefined): boolean {
  if (!login) return true
  return secret !== undefined && claims.nonce === loginNonce(secret, login.vault_url)
}

function toAnswer(error: unknown): unknown {
  if (error instanceof IdentityRefusal) return new AuthconnError('identity_refused')
  if (error instanceof KeysUnavailable) {
    const { retryAfter } = error
    return new AuthconnError('identity_provider_unavailable', undefined, { cause: error, retryAfter })
  }
  return error
}
