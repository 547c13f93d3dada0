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
const mostSources = 5

/**
 * The one of several trusts of an issuer that a token fits, and the token as it was verified. Trusts with the same keys
 * share a verification. Throws IdentityRefusal, and KeysUnavailable where nothing but the keys was missing.
 */
export function createFindFit(deps: { verifyToken: VerifyToken; clock(): Date }): FindFit {
  return async function findFit(token, candidates, from, known) {
    if (candidates.length === 1) Object.assign(known, { trust: candidates[0] })
    const bySource = Map.groupBy(candidates, sourceId)
    if (bySource.size > mostSources) throw new IdentityRefusal('ambiguous')
    const now = deps.clock()
    const fits: { trust: Trust; verified: VerifiedToken }[] = []
    const reasons: unknown[] = []
    for (const group of bySource.values()) {
      const verified = await verify(token, group, now).catch((error: unknown) => void reasons.push(error))
      if (!verified) continue
      known.token = verified
      for (const trust of group) {
        const reason = judgeToken(trust, verified, { now, address: from.address })
        if (reason) reasons.push(reason)
        else fits.push({ trust, verified })
      }
    }
    const [fit] = fits
    if (fits.length > 1) throw new IdentityRefusal('ambiguous')
    if (!fit) throw mostTelling(reasons)
    Object.assign(known, { trust: fit.trust, token: fit.verified })
    return fit
  }

  function verify(token: Secret, group: readonly Trust[], now: Date): Promise<VerifiedToken> {
    const [source] = group
    if (!source) throw new Error('There is a group without a trust')
    const algorithms = [...new Set(group.flatMap((trust) => trust.algorithms))]
    return deps.verifyToken(token, source, { algorithms, tolerance: clockTolerance, now })
  }
}

/** Trusts with one source are served by the same keys. Keys that were given are those of their trust alone. */
function sourceId(trust: KeySource & { id: string }): string {
  if (trust.jwks) return `given ${trust.id}`
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
]
