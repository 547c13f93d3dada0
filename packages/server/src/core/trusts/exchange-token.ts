import { hash, randomUUID } from 'node:crypto'
import type { TokenExchange } from '@authconn/shared'
import type { AuditLog } from '../audit/audit-log.ts'
import { createApiKey, hashApiKey } from '../callers/api-key.ts'
import { AuthconnError } from '../errors.ts'
import type { Caller, Log } from '../ports.ts'
import { Secret } from '../secret.ts'
import {
  IdentityRefusal,
  type KeySource,
  KeysUnavailable,
  type Refusal,
  type Trust,
  type TrustStore,
  type VerifiedToken,
  type VerifyToken,
} from '../trust-port.ts'
import { describeToken } from './describe-token.ts'
import { clockTolerance, judgeToken } from './judge-token.ts'
import { peekIssuer } from './peek-issuer.ts'

export type ExchangeToken = (wanted: TokenExchange, from: Origin) => Promise<IssuedKey>

export interface Origin {
  address: string | null
  requestId: string
}

export interface IssuedKey {
  apiKey: Secret
  caller: Caller
  /** Seconds. */
  expiresIn: number
  trust: Trust
  workspace: string
}

export interface IdentityMeter {
  exchanged(outcome: 'accepted' | 'unavailable' | 'failed' | Refusal): void
}

/** What is known of an exchange so far, for its record. */
interface Known {
  workspaceId?: string
  trust?: Trust
  token?: VerifiedToken
  caller?: Caller
}

/** Where the keys are of the trusts that a token may be for; whoever makes trusts chooses how many there are. */
const mostSources = 5
/** So often a token is taken that is not for one time only: what asks more often is no job or pod that goes about its work. */
const mostUses = 1000
/** Seconds for which any trust takes a token at most, and by which the database's clock may be behind. */
const longestAge = 86_400
const clockMargin = 300
/** Milliseconds from the arrival of a token to its refusal, so that it does not tell by its time how far it got. */
const refusalTime = 200

/**
 * Exchanges an OpenID Connect token for the API key of a short-lived caller, if it fits exactly one trust of the workspace.
 * Throws identity_refused without a reason, which the audit log, the log and the figures have; and
 * identity_provider_unavailable when the keys of the issuer cannot be had. The record is durable before the key leaves.
 */
export function createExchangeToken(deps: {
  trusts: TrustStore
  verifyToken: VerifyToken
  audit: Pick<AuditLog, 'record'>
  meter: IdentityMeter
  log: Log
  clock(): Date
  sleep(ms: number): Promise<unknown>
  inBackground(work: Promise<unknown>): void
}): ExchangeToken {
  const { trusts, log } = deps

  return async function exchangeToken(wanted, from) {
    const earliest = deps.sleep(refusalTime)
    const known: Known = {}
    try {
      const issued = await issue(wanted, from, known)
      await record(known, from, null)
      deps.meter.exchanged('accepted')
      // Nothing depends on it, and what fails now is noted with the next exchange.
      deps.inBackground(trusts.touch(issued.trust.id).catch(() => undefined))
      return issued
    } catch (error) {
      const answer = toAnswer(error)
      await recordFailure(known, from, answer, error)
      if (answer.code === 'identity_refused') await earliest
      throw answer
    }
  }

  async function issue(wanted: TokenExchange, from: Origin, known: Known): Promise<IssuedKey> {
    const token = new Secret(wanted.subject_token)
    const workspace = wanted.workspace ?? 'default'
    const issuer = peekIssuer(token)
    const found = await trusts.findForIssuer(workspace, issuer ?? 'none', wanted.trust)
    if (found) known.workspaceId = found.workspaceId
    if (issuer === undefined) throw new IdentityRefusal('malformed')
    const candidates = found?.trusts ?? []
    const [only] = candidates
    if (only === undefined) throw new IdentityRefusal('unknown_issuer')
    if (candidates.length === 1) known.trust = only
    const fit = await findFit(token, candidates, from, known)
    known.trust = fit.trust
    known.token = fit.token
    const apiKey = createApiKey()
    const issued = await trusts.issue({
      trustId: fit.trust.id,
      tokenHash: hashToken(token, fit),
      mostUses: fit.trust.singleUse ? 1 : mostUses,
      rememberFor: secondsLeft(fit.token, deps.clock()),
      callerId: randomUUID(),
      callerName: `trust:${fit.trust.name}`,
      identity: String(fit.token.claims.sub),
      keyHash: hashApiKey(apiKey),
      lifetime: fit.trust.keyLifetime,
    })
    if (issued === 'replayed') throw new IdentityRefusal('replayed')
    if (issued === 'over') throw new IdentityRefusal('trust_over')
    known.caller = issued.caller
    return { ...issued, apiKey, trust: fit.trust, workspace }
  }

  /** The one trust that the token fits. Trusts with the same keys share a verification. */
  async function findFit(token: Secret, candidates: readonly Trust[], from: Origin, known: Known) {
    const bySource = Map.groupBy(candidates, sourceId)
    if (bySource.size > mostSources) throw new IdentityRefusal('ambiguous')
    const now = deps.clock()
    const fits: { trust: Trust; token: VerifiedToken }[] = []
    const reasons: unknown[] = []
    for (const group of bySource.values()) {
      const verified = await verify(token, group, now).catch((error: unknown) => {
        reasons.push(error)
      })
      if (!verified) continue
      known.token = verified
      for (const trust of group) {
        const reason = judgeToken(trust, verified, { now, address: from.address })
        if (reason) reasons.push(reason)
        else fits.push({ trust, token: verified })
      }
    }
    const [fit] = fits
    if (fits.length > 1) throw new IdentityRefusal('ambiguous')
    if (!fit) throw mostTelling(reasons)
    return fit
  }

  function verify(token: Secret, group: readonly Trust[], now: Date): Promise<VerifiedToken> {
    const [source] = group
    if (!source) throw new Error('There is a group without a trust')
    const algorithms = [...new Set(group.flatMap((trust) => trust.algorithms))]
    return deps.verifyToken(token, source, { algorithms, tolerance: clockTolerance, now })
  }

  async function recordFailure(known: Known, from: Origin, answer: AuthconnError, error: unknown): Promise<void> {
    const refusal = error instanceof IdentityRefusal ? error : undefined
    deps.meter.exchanged(refusal?.why ?? (error instanceof KeysUnavailable ? 'unavailable' : 'failed'))
    if (refusal) {
      const { why, claim } = refusal
      log.info(
        { why, ...(claim === undefined ? {} : { claim }), trust: known.trust?.name, request_id: from.requestId },
        'a token was refused',
      )
    }
    // What cannot be recorded cannot be recorded now either.
    if (answer.code === 'audit_unavailable') return
    await record(known, from, answer, refusal).catch((failure) => {
      log.error({ error: failure, request_id: from.requestId }, 'a refusal could not be recorded in the audit log')
    })
  }

  async function record(
    known: Known,
    { address, requestId }: Origin,
    answer: AuthconnError | null,
    refusal?: IdentityRefusal,
  ): Promise<void> {
    const { trust, token, caller, workspaceId } = known
    const outcome = answer === null ? 'allowed' : answer.code === 'identity_refused' ? 'denied' : 'failed'
    await deps.audit.record([
      {
        actor: answer === null ? (caller ?? null) : null,
        workspaceId: workspaceId ?? null,
        action: 'exchangeToken',
        connection: null,
        target: trust?.name ?? null,
        subject: null,
        outcome,
        reason: answer?.code ?? null,
        address,
        requestId,
        detail: describeToken(trust, token, refusal),
      },
    ])
  }
}

/** Trusts with one source are served by the same keys. Keys that were given are those of their trust alone. */
function sourceId(trust: KeySource & { id: string }): string {
  if (trust.jwks) return `given:${trust.id}`
  return trust.jwksUri === null ? 'metadata' : `uri:${trust.jwksUri}`
}

/**
 * By what a token is known again, wherever it was used before. Its `jti`, or without one what is signed and not the
 * signature, which for ES256 can be written in two ways. With the key that it is signed by, so that nobody with keys of
 * their own can use up the ids of another issuer.
 */
function hashToken(token: Secret, fit: { trust: Trust; token: VerifiedToken }): Buffer {
  const { claims, key } = fit.token
  const { jti } = claims
  const signed = token.reveal().split('.').slice(0, 2).join('.')
  const id = typeof jti === 'string' && jti !== '' ? ['jti', jti] : ['signed', signed]
  return hash('sha256', JSON.stringify([fit.trust.issuer, key, ...id]), 'buffer')
}

/** Seconds until no trust can take the token any more. */
function secondsLeft({ claims }: VerifiedToken, now: Date): number {
  const end = Math.min(Number(claims.exp), Number(claims.iat) + longestAge)
  return Math.max(0, Math.ceil(end - now.getTime() / 1000)) + clockTolerance + clockMargin
}

/** Of several reasons the one that came last on the way of a token: there it was closest to being taken. */
function mostTelling(reasons: readonly unknown[]): unknown {
  const unavailable = reasons.find((reason) => !(reason instanceof IdentityRefusal))
  if (unavailable !== undefined) return unavailable
  const refusals = reasons.filter((reason) => reason instanceof IdentityRefusal)
  return refusals.sort((a, b) => way.indexOf(b.why) - way.indexOf(a.why))[0]
}

const way: readonly Refusal[] = [
  'malformed',
  'header',
  'type',
  'algorithm',
  'unknown_key',
  'signature',
  'incomplete',
  'expired',
  'not_yet_valid',
  'audience',
  'authorized_party',
  'too_old',
  'claim',
  'address',
]

function toAnswer(error: unknown): AuthconnError {
  if (error instanceof IdentityRefusal) return new AuthconnError('identity_refused')
  if (error instanceof KeysUnavailable) {
    const { retryAfter } = error
    return new AuthconnError('identity_provider_unavailable', undefined, { cause: error, retryAfter })
  }
  return error as AuthconnError
}
