import {
  calculateJwkThumbprint,
  decodeProtectedHeader,
  errors,
  exportJWK,
  type JWTVerifyOptions,
  jwtVerify,
  type LocalJWKSet,
  type ProtectedHeaderParameters,
} from 'jose'
import { IdentityRefusal, type KeySource, type Refusal, type VerifyToken } from '../../core/trust-port.ts'
import type { IssuerKeys } from './issuer-keys.ts'

/** Verifies tokens with the library `jose`, by keys that no token has a say in. */
export function createVerifyToken(issuerKeys: IssuerKeys): VerifyToken {
  return async function verifyToken(token, source, { algorithms, tolerance, now }) {
    const text = token.reveal()
    checkHeader(readHeader(text))
    const options: JWTVerifyOptions = {
      // RFC 9864 has a new name for EdDSA with the only curve there is here.
      algorithms: algorithms.flatMap((each) => (each === 'EdDSA' ? ['EdDSA', 'Ed25519'] : [each])),
      issuer: source.issuer,
      requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat'],
      clockTolerance: tolerance,
      currentDate: now,
    }
    const { payload, protectedHeader, key } = await verify(text, source, options)
    checkClaims(payload, tolerance, now)
    return {
      algorithm: protectedHeader.alg,
      claims: payload,
      key: await calculateJwkThumbprint(await exportJWK(key)),
    }
  }

  async function verify(text: string, source: KeySource, options: JWTVerifyOptions) {
    const keys = await issuerKeys.get(source)
    try {
      return await jwtVerify(text, keys, options)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw toRefusal(error)
    }
    const newer = await issuerKeys.getNewer(source, keys)
    if (!newer) throw new IdentityRefusal('unknown_key')
    return verifyAgain(text, newer, options)
  }

  async function verifyAgain(text: string, keys: LocalJWKSet, options: JWTVerifyOptions) {
    try {
      return await jwtVerify(text, keys, options)
    } catch (error) {
      throw toRefusal(error)
    }
  }
}

function readHeader(text: string): ProtectedHeaderParameters {
  try {
    return decodeProtectedHeader(text)
  } catch {
    throw new IdentityRefusal('malformed')
  }
}

/** RFC 8725 sections 3.10 and 3.11, RFC 7515 section 4.1. */
function checkHeader(header: ProtectedHeaderParameters): void {
  // Nothing in a token says which key it is signed by but the id of one that the issuer has published.
  if (['jku', 'jwk', 'x5u', 'x5c', 'crit', 'b64', 'enc', 'zip'].some((name) => Object.hasOwn(header, name))) {
    throw new IdentityRefusal('header')
  }
  if (header.kid !== undefined && typeof header.kid !== 'string') throw new IdentityRefusal('header')
  const { typ } = header
  if (typ === undefined) return
  // Access tokens, logout tokens and the like are signed by the same keys for the same audiences, and say so here.
  if (typeof typ !== 'string' || !/^(application\/)?jwt$/i.test(typ)) throw new IdentityRefusal('type')
}

/** What the library does not ask for: it takes any text as `sub`, and any `iat` where no age is asked for. */
function checkClaims(claims: Readonly<Record<string, unknown>>, tolerance: number, now: Date): void {
  const { sub, iat, exp } = claims
  if (
    typeof sub !== 'string' ||
    !/^[^\p{Cc}\p{Cs}]{1,1024}$/u.test(sub) ||
    typeof iat !== 'number' ||
    typeof exp !== 'number'
  ) {
    throw new IdentityRefusal('incomplete')
  }
  if (!Number.isFinite(iat) || !Number.isFinite(exp) || exp <= iat) throw new IdentityRefusal('incomplete')
  if (iat > now.getTime() / 1000 + tolerance) throw new IdentityRefusal('not_yet_valid')
}

/** By class and code, never by message. The library's errors carry claims, and go no further. */
function toRefusal(error: unknown): IdentityRefusal {
  if (error instanceof errors.JOSEAlgNotAllowed) return new IdentityRefusal('algorithm')
  if (error instanceof errors.JWTExpired) return new IdentityRefusal('expired')
  if (error instanceof errors.JWTClaimValidationFailed) return new IdentityRefusal(claimRefusal(error))
  if (error instanceof errors.JWSSignatureVerificationFailed) return new IdentityRefusal('signature')
  if (error instanceof errors.JWKSMultipleMatchingKeys || error instanceof errors.JWKSNoMatchingKey) {
    return new IdentityRefusal('unknown_key')
  }
  // A key in the set that cannot be imported, or does not go with the algorithm: then it is none for this token.
  if (error instanceof TypeError || error instanceof errors.JWKSInvalid || error instanceof errors.JWKInvalid) {
    return new IdentityRefusal('unknown_key')
  }
  return new IdentityRefusal('malformed')
}

function claimRefusal({ claim, reason }: errors.JWTClaimValidationFailed): Refusal {
  if (reason !== 'check_failed') return 'incomplete'
  // Compared before already, when the trusts of the issuer were looked for.
  if (claim === 'iss') return 'unknown_issuer'
  return claim === 'nbf' || claim === 'iat' ? 'not_yet_valid' : 'incomplete'
}
