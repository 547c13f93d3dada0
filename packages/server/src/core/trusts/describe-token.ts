import type { IdentityRefusal, Trust, VerifiedToken } from '../trust-port.ts'
import { readClaim, textOf } from './match-claims.ts'
import { presets } from './presets.ts'

/**
 * What the audit log says of an exchange. Nothing of a token is in it that was not verified: somebody could have put
 * anything there, a secret among it. Never the token itself.
 */
export function describeToken(
  trust: Trust | undefined,
  token: VerifiedToken | undefined,
  refusal: IdentityRefusal | undefined,
): Record<string, string> | null {
  const preset = presets[trust?.preset ?? 'generic']
  const claim = (name: string | undefined) =>
    token && name !== undefined ? printable(textOf(readClaim(token.claims, name))) : undefined
  const facts = {
    trust: trust?.name,
    issuer: trust?.issuer,
    sub: claim('sub'),
    jti: claim('jti'),
    run: claim(preset.run),
    job: claim(preset.job),
    why: refusal?.why,
    claim: refusal?.claim,
  }
  const present = Object.entries(facts).filter((fact): fact is [string, string] => fact[1] !== undefined)
  return present.length === 0 ? null : Object.fromEntries(present)
}

const longest = 255

function printable(text: string | undefined): string | undefined {
  return text?.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, ' ').slice(0, longest)
}
