import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { type AuthconnError, invalidPart } from '../errors.ts'
import type { PublicKeys } from '../trust-port.ts'

/** What a public key is, and what it is for (RFC 7517, RFC 7518 section 6, RFC 8037); nothing else of it is kept. */
const publicMembers = ['kty', 'kid', 'alg', 'use', 'key_ops', 'n', 'e', 'crv', 'x', 'y'] as const

/** Members of private and symmetric keys: whoever sends one has taken the wrong file, and should know. */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'] as const

const smallestRsa = 2048

/** The public keys of a set that was given with a trust. Throws invalid_request for one that is none. */
export function readPublicKeys(keys: readonly Record<string, unknown>[]): PublicKeys {
  return { keys: keys.map(readPublicKey) }
}

/** The members of a key that are public. */
export function publicPartOf(key: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    publicMembers.filter((name) => Object.hasOwn(key, name)).map((name) => [name, key[name]]),
  )
}

function readPublicKey(given: Record<string, unknown>, at: number): Record<string, unknown> {
  const secret = privateMembers.find((name) => Object.hasOwn(given, name))
  if (secret !== undefined) {
    throw invalid(at, `holds a private key (${secret}), which is of no use here: consider it exposed`)
  }
  const key = publicPartOf(given)
  if (Object.values(key).some((value) => typeof value !== 'string' && !isListOfNames(value))) {
    throw invalid(at, 'has members that are no text')
  }
  let size: number | undefined
  try {
    size = createPublicKey({ key: key as JsonWebKey, format: 'jwk' }).asymmetricKeyDetails?.modulusLength
  } catch {
    throw invalid(at, 'is no public key')
  }
  if (size !== undefined && size < smallestRsa) throw invalid(at, `has fewer than ${smallestRsa} bits`)
  return key
}

function isListOfNames(value: unknown): boolean {
  return Array.isArray(value) && value.length <= 10 && value.every((each) => typeof each === 'string')
}

function invalid(at: number, detail: string): AuthconnError {
  return invalidPart(`/body/jwks/keys/${at}`, detail)
}
