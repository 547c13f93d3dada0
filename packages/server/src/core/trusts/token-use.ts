import { hash } from 'node:crypto'
import type { Secret } from '../secret.ts'
import type { VerifiedToken } from '../trust-port.ts'
import { clockTolerance } from './judge-token.ts'

/**
 * By what a token is known again, wherever it was used before: its `jti`, or without one what is signed, and not the
 * signature, which for ES256 can be written in two ways. With the key that it is signed by, so that nobody with keys of
 * their own can use up the ids of another issuer.
 */
export function hashToken(token: Secret, { claims, key }: VerifiedToken, issuer: string): Buffer {
  const { jti } = claims
  const signed = token.reveal().split('.').slice(0, 2).join('.')
  const id = typeof jti === 'string' && jti !== '' ? ['jti', jti] : ['signed', signed]
  return hash('sha256', JSON.stringify([issuer, key, ...id]), 'buffer')
}

/** Seconds for which any trust takes a token at most, and by which the database's clock may differ. */
const longestAge = 86_400
const clockMargin = 300

/** Seconds for which the use of a token has to be known: until no trust can take it any more. */
export function secondsOfUse({ claims }: VerifiedToken, now: Date): number {
  const end = Math.min(Number(claims.exp), Number(claims.iat) + longestAge)
  return Math.max(0, Math.ceil(end - now.getTime() / 1000)) + clockTolerance + clockMargin
}
