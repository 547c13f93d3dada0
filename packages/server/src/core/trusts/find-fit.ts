import type { Secret } from '../secret.ts'
import {
  IdentityRefusal,
  type KeySource,
  type Refusal,
  type Trust,
  type VerifiedToken,
  type VerifyToken,
} from '../trust-port.ts'
import { clockTolerance, judgeToken } from './judge-token.ts'
import type { KnownOfExchange, Origin } from './record-exchange.ts'

export type FindFit = (
  token: Secret,
  candidates: readonly Trust[],
  from: Origin,
  known: KnownOfExchange,
) => Promise<{ trust: Trust; verified: VerifiedToken }>

/** Places of keys that are asked for one token; whoever makes trusts chooses how many there are. */
const mostPlaces = 5

/**
 * The trust that a token fits, of several the oldest, and the token as it was verified. So whoever makes a trust changes
 * nothing for the tokens that fit one which is there: it takes none from it, and has none wait. Trusts with the same keys
 * share a verification. Throws IdentityRefusal, and KeysUnavailable where keys were missing. `candidates`: the oldest first.
 */
export function createFindFit(deps: { verifyToken: VerifyToken; clock(): Date }): FindFit {
  return async function findFit(token, candidates, from, known) {
    if (candidates.length === 1) Object.assign(known, { trust: candidates[0] })
    const now = deps.clock()
    const verifications = verifyAll(token, candidates, now)
    const reasons: unknown[] = []
    for (const trust of candidates) {
      const { verified, reason } = (await verifications.get(sourceId(trust))) ?? leftOut
      if (!verified) {
        reasons.push(reason)
        continue
      }
      known.token = verified
      const unfit = judgeToken(trust, verified, { now, address: from.address })
      if (!unfit) {
        known.trust = trust
        return { trust, verified }
      }
      reasons.push(unfit)
    }
    throw mostTelling(reasons)
  }

  /** All at once. Of places to ask those of the oldest trusts; keys that were given cost no call. */
  function verifyAll(token: Secret, candidates: readonly Trust[], now: Date): Map<string, Promise<Verification>> {
    let places = 0
    const asked = [...Map.groupBy(candidates, sourceId)].filter(
      ([, [trust]]) => trust?.jwks || ++places <= mostPlaces,
    )
    return new Map(
      asked.map(([id, group]) => [
        id,
        verify(token, group, now).then(
          (verified) => ({ verified }),
          (reason: unknown) => ({ reason }),
        ),
      ]),
    )
  }

  function verify(token: Secret, group: readonly Trust[], now: Date): Promise<VerifiedToken> {
    const [source] = group
    if (!source) throw new Error('There is a group without a trust')
    const algorithms = [...new Set(group.flatMap((trust) => trust.algorithms))]
    return deps.verifyToken(token, source, { algorithms, tolerance: clockTolerance, now })
  }
}

interface Verification {
  verified?: VerifiedToken
  reason?: unknown
}

const leftOut: Verification = { reason: new IdentityRefusal('ambiguous') }

/** Trusts with one source are served by the same keys. */
function sourceId(trust: KeySource): string {
  if (trust.jwks) return `given ${JSON.stringify(trust.jwks)}`
  return trust.jwksUri === null ? 'metadata' : `uri ${trust.jwksUri}`
}

/** Of several reasons the one that came last on the way of a token: there it was closest to being taken. */
function mostTelling(reasons: readonly unknown[]): unknown {
  const refusals = reasons.filter((reason) => reason instanceof IdentityRefusal)
  if (refusals.length < reasons.length) return reasons.find((reason) => !(reason instanceof IdentityRefusal))
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
  // It may fit one that nobody looked at.
  'ambiguous',
]
