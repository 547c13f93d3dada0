import { hash, randomBytes } from 'node:crypto'
import { Secret } from '../secret.ts'

const prefix = 'ack_'
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const bodyLength = 43
const checksumLength = 6
const shape = new RegExp(`^${prefix}[0-9A-Za-z]{${bodyLength + checksumLength}}$`)

/**
 * A new API key: `ack_`, 43 base62 characters (256 bits) and a checksum of 6,
 * so that scanners recognize a leaked key and a mistyped one fails without a look into the database.
 */
export function createApiKey(): Secret {
  const body = toBase62(BigInt(`0x${randomBytes(32).toString('hex')}`), bodyLength)
  return new Secret(prefix + body + checksum(body))
}

/** Whether this can be a key at all. */
export function isApiKey(text: string): boolean {
  if (!shape.test(text)) return false
  const body = text.slice(prefix.length, prefix.length + bodyLength)
  return text.endsWith(checksum(body))
}

/** Whether somebody may have meant it as one: then it is to be kept out of sight, mistyped or not. */
export function hasApiKeyPrefix(text: string): boolean {
  return text.startsWith(prefix)
}

/** What the database keeps of a key. A fast hash is right here: the key is random, so there is nothing to guess. */
export function hashApiKey(key: Secret): Buffer {
  return hash('sha256', key.reveal(), 'buffer')
}

function checksum(body: string): string {
  // Of every key that is presented: with 32 bits it takes no BigInt.
  let rest = Number.parseInt(hash('sha256', prefix + body, 'hex').slice(0, 8), 16)
  let text = ''
  while (text.length < checksumLength) {
    text = alphabet.charAt(rest % 62) + text
    rest = Math.floor(rest / 62)
  }
  return text
}

function toBase62(number: bigint, length: number): string {
  let rest = number
  let text = ''
  while (text.length < length) {
    text = alphabet.charAt(Number(rest % 62n)) + text
    rest /= 62n
  }
  return text
}
