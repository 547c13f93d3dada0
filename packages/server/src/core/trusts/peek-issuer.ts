import type { Secret } from '../secret.ts'

/**
 * The issuer that a token says it has, read before anything is verified and only to know which trusts to look at; undefined for
 * what is no signed JWT in its compact form (RFC 7515 section 3.1).
 */
export function peekIssuer(token: Secret): string | undefined {
  const [, payload] = compact.exec(token.reveal()) ?? []
  if (payload === undefined) return undefined
  const issuer = readIssuer(payload)
  if (typeof issuer !== 'string') return undefined
  // What the contract takes as an issuer, and so all that can be one.
  return /^[^\p{Cc}\p{Cf}\p{Cs}\p{Z}]{1,2048}$/u.test(issuer) ? issuer : undefined
}

/** To the letter: decoders overlook white space, and then one token can be written in many ways. */
const compact = /^[\w-]+\.([\w-]+)\.[\w-]+$/

function readIssuer(payload: string): unknown {
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
    return typeof claims === 'object' && claims !== null ? Reflect.get(claims, 'iss') : undefined
  } catch {
    return undefined
  }
}
