import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { isKek, kekBytes } from '../../core/crypto/key-encryption-key.ts'
import { AuthconnError } from '../../core/errors.ts'
import { Secret } from '../../core/secret.ts'
import { createPrivateFile, readPrivateFile } from './private-file.ts'

/** The key-encryption key of a data directory, in base64; undefined when it has none. Throws key_file_unsafe. */
export function readKekFile(dataDirectory: string): Secret | undefined {
  const text = readPrivateFile(kekPath(dataDirectory))
  return text === undefined ? undefined : parseKek(text, dataDirectory)
}

/**
 * Makes the key file with a new random key. Another vault that shares the directory may have made it meanwhile: then
 * its key is returned, since something may be sealed under it already.
 */
export function createKekFile(dataDirectory: string): Secret {
  const key = randomBytes(kekBytes).toString('base64')
  return parseKek(createPrivateFile(kekPath(dataDirectory), `${key}\n`), dataDirectory)
}

export function kekPath(dataDirectory: string): string {
  return join(dataDirectory, 'kek')
}

function parseKek(text: string, dataDirectory: string): Secret {
  const key = text.trim()
  if (!isKek(key)) {
    throw new AuthconnError('key_encryption_key_wrong', `${kekPath(dataDirectory)} does not hold a key`)
  }
  return new Secret(key)
}
