import { containsRange, parseAddressRange } from '../callers/address-range.ts'
import type { Trust, VerifiedToken } from '../trust-port.ts'
import { IdentityRefusal } from '../trust-port.ts'
import { findUnfitClaim } from './match-claims.ts'

/** Seconds by which the clocks of an issuer and of the vault may differ. */
export const clockTolerance = 30

/** Why a token, verified already, does not fit a trust; undefined when it does. */
export function judgeToken(
  trust: Trust,
  token: VerifiedToken,
  { now, address }: { now: Date; address: string | null },
): IdentityRefusal | undefined {
  const { claims } = token
  if (!isListed(trust, token.algorithm)) return new IdentityRefusal('algorithm')
  if (!isForUs(trust, claims.aud)) return new IdentityRefusal('audience')
  // OpenID Connect Core section 3.1.3.7 item 5: a token may be issued to one client and be for another as well.
  if (trust.login && claims.azp !== undefined && claims.azp !== trust.login.client_id) {
    return new IdentityRefusal('authorized_party')
  }
  const age = now.getTime() / 1000 - Number(claims.iat)
  if (age > trust.maxAge + clockTolerance) return new IdentityRefusal('too_old')
  const unfit = findUnfitClaim(trust.claims, claims)
  if (unfit !== undefined) return new IdentityRefusal('claim', unfit)
  if (!isAtHome(trust.addresses, address)) return new IdentityRefusal('address')
  return undefined
}

/** RFC 9864 gives EdDSA with its one curve here a name of its own. */
function isListed({ algorithms }: Trust, algorithm: string): boolean {
  return algorithms.some((each) => each === algorithm || (each === 'EdDSA' && algorithm === 'Ed25519'))
}

/** Whoever else a token is for could present it here. */
function isForUs({ audience }: Trust, given: unknown): boolean {
  const audiences: unknown[] = Array.isArray(given) ? given : [given]
  return audiences.length > 0 && audiences.every((each) => audience.some((own) => own === each))
}

function isAtHome(ranges: readonly string[] | null, address: string | null): boolean {
  if (ranges === null) return true
  const from = address === null ? undefined : parseAddressRange(address)
  if (!from) return false
  return ranges.some((text) => {
    const range = parseAddressRange(text)
    return range !== undefined && containsRange(range, from)
  })
}
