import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { isKek, kekBytes } from '../../core/crypto/key-encryption-key.ts'
import { AuthconnError } from '../../core/errors.ts'
import { Secret } from '../../core/secret.ts'
import { readPrivateFile, writePrivateFile } from './private-file.ts'

/** The key-encryption key of a data directory, in base64; undefined when it has none. Throws key_file_unsafe. */
export function readKekFile(dataDirectory: string): Secret | undefined {
  const text = readPrivateFile(kekPath(dataDirectory))?.trim()
  if (text === undefined) return undefined
  if (!isKek(text)) {
    throw new AuthconnError('key_encryption_key_wrong', `${kekPath(dataDirectory)} does not hold a key`)
  }
  return new Secret(text)
}

/** Makes the key file with a new random key. */
export function createKekFile(dataDirectory: string): Secret {
  const key = new Secret(randomBytes(kekBytes).toString('base64'))
  writePrivateFile(kekPath(dataDirectory), `${key.reveal()}\n`)
  return key
}

export function kekPath(dataDirectory: string): string {
  return join(dataDirectory, 'kek')
}
