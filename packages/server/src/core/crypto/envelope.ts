import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto'
import { AuthconnError } from '../errors.ts'

/** Where a sealed value lives. It opens nowhere else. */
export interface Place {
  workspace: string
  table: string
  column: string
  row: string
}

/** A data key: its id, which every value names that is sealed with it, and its 32 bytes. */
interface Key {
  id: string
  bytes: Uint8Array | KeyObject
}

/*
 * Sealed value, format version 1 (docs/sealed-values.md):
 *   1 byte   version (0x01)
 *   16 bytes data key id (UUID)
 *   12 bytes nonce, random
 *   n bytes  AES-256-GCM ciphertext
 *   16 bytes tag
 */
const version = 1
const keyIdBytes = 16
const nonceBytes = 12
const tagBytes = 16
const headerBytes = 1 + keyIdBytes + nonceBytes

/** Seals bytes with a data key; the additional authenticated data binds them to their place and key. */
export function seal(place: Place, key: Key, plaintext: Uint8Array): Uint8Array {
  return sealWithNonce(place, key, randomBytes(nonceBytes), plaintext)
}

/**
 * The same with a given nonce, so that test vectors can be made and checked. Two values that are sealed with one key and
 * one nonce give away both, and the key to forgery: nothing but tests may choose one.
 */
export function sealWithNonce(place: Place, key: Key, nonce: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const header = Buffer.concat([Buffer.of(version), uuidToBytes(key.id), nonce])
  const cipher = createCipheriv('aes-256-gcm', key.bytes, nonce, { authTagLength: tagBytes })
  cipher.setAAD(additionalData(place, key.id))
  return Buffer.concat([header, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

/** The id of the data key a value was sealed with. Throws sealed_value_damaged when it is no sealed value. */
export function sealedWith(sealed: Uint8Array): string {
  if (sealed.length < headerBytes + tagBytes || sealed[0] !== version) throw damaged('it has no known format')
  return readKeyId(sealed)
}

/** Opens what seal made. Throws sealed_value_damaged when a bit, the place or the key differs. */
export function unseal(place: Place, key: Key, sealed: Uint8Array): Buffer {
  if (sealedWith(sealed) !== key.id) throw damaged('it was sealed with another key')
  const nonce = sealed.subarray(1 + keyIdBytes, headerBytes)
  const ciphertext = sealed.subarray(headerBytes, sealed.length - tagBytes)
  const decipher = createDecipheriv('aes-256-gcm', key.bytes, nonce, { authTagLength: tagBytes })
  decipher.setAAD(additionalData(place, key.id))
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes))
  try {
    const plaintext = decipher.update(ciphertext)
    // Of a stream cipher nothing is left for the end, at which the tag is compared: until then it is not to be used.
    decipher.final()
    return plaintext
  } catch (cause) {
    throw damaged(`${place.table}.${place.column} of ${place.row} failed authentication`, cause)
  }
}

function damaged(reason: string, cause?: unknown) {
  return new AuthconnError('sealed_value_damaged', `A sealed value does not open: ${reason}`, { cause })
}

/** A JSON array, so that no two different places give the same bytes. */
function additionalData(place: Place, keyId: string): Buffer {
  return Buffer.from(
    JSON.stringify(['authconn', version, place.workspace, place.table, place.column, place.row, keyId]),
  )
}

function uuidToBytes(uuid: string): Buffer {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex')
}

/** What one value was sealed with, most likely the next one was too. */
let lastKeyId = { bytes: new Uint8Array(keyIdBytes), id: bytesToUuid(new Uint8Array(keyIdBytes)) }

function readKeyId(sealed: Uint8Array): string {
  const bytes = sealed.subarray(1, 1 + keyIdBytes)
  if (Buffer.compare(lastKeyId.bytes, bytes) !== 0)
    lastKeyId = { bytes: new Uint8Array(bytes), id: bytesToUuid(bytes) }
  return lastKeyId.id
}

function bytesToUuid(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
