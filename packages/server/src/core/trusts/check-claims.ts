import type { BoundClaim, TrustPreset } from '@authconn/shared'
import { type AuthconnError, invalidPart } from '../errors.ts'
import { patternClaims, presets, weakClaims } from './presets.ts'

/**
 * Throws invalid_request where bound claims would let in others than was meant: none of them says whose token it is, or a
 * pattern is where it would not be read as one.
 */
export function checkClaims(preset: TrustPreset | undefined, claims: readonly BoundClaim[]): void {
  const names = claims.map(({ claim }) => claim)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw refusal(`${twice} is bound twice: give all its values at once`)
  for (const each of claims) {
    checkPointer(each.claim)
    for (const value of each.values) checkPattern(each.claim, value)
  }
  const exact = claims.filter(({ values }) => values.every((value) => !value.includes('*')))
  const { oneOf } = presets[preset ?? 'generic']
  if (oneOf && !exact.some(({ claim }) => oneOf.includes(claim))) {
    throw refusal(`a trust in ${preset} must bind one of ${oneOf.join(', ')} to exact values`)
  }
  if (!claims.some(({ claim }) => !weakClaims.includes(claim))) {
    throw refusal('they do not say whose token it is: bind sub, an id, a group or a verified e-mail address too')
  }
  checkEmail(claims)
}

function checkPointer(claim: string): void {
  if (!claim.startsWith('/')) return
  if (/~(?![01])/.test(claim)) throw refusal(`${claim} is no JSON Pointer: a ~ is written ~0, and a / ~1`)
  // With one name for each claim, what is known of a claim holds however it is written. Only one that begins with a slash
  // cannot be given by its name.
  if (!/^\/[^/]*$/.test(claim) || claim.startsWith('/~1')) return
  throw refusal(`${claim} is a claim of the token itself: write its name without the /`)
}

function checkPattern(claim: string, value: string): void {
  if (!value.includes('*')) return
  if (!patternClaims.includes(claim)) {
    throw refusal(`${claim} takes exact values only; a * has a meaning in ${patternClaims.join(', ')}`)
  }
  if (claim === 'email') {
    if (!/^\*@[^*@]+$/.test(value)) throw refusal('email takes an address, or all of a domain as *@example.com')
    return
  }
  // What comes before the first * is all that keeps others out.
  if (!/^[^*]{4}/.test(value)) throw refusal(`${claim} must begin with at least 4 characters before a *`)
}

/** Some providers let people enter any address, and say so only there. */
function checkEmail(claims: readonly BoundClaim[]): void {
  if (!claims.some(({ claim }) => claim === 'email')) return
  const verified = claims.find(({ claim }) => claim === 'email_verified')
  if (verified?.values.length === 1 && verified.values[0] === 'true') return
  throw refusal('email is worth something only where email_verified is bound to true as well')
}

function refusal(what: string): AuthconnError {
  return invalidPart('/body/claims', what)
}
