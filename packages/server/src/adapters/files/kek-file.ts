import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { isKek, kekBytes } from '../../core/crypto/key-encryption-key.ts'
import { AuthconnError } from '../../core/errors.ts'
import { Secret } from '../../core/secret.ts'
import { createPrivateFile, readPrivateFile } from './private-file.ts'

/**
 * The key-encryption keys of a key file, in base64, one a line: the current one, then those before it. undefined when
 * there is no such file. Throws key_file_unsafe, key_encryption_key_wrong.
 */
export function readKekFile(path: string): Secret[] | undefined {
  const text = readPrivateFile(path)
  return text === undefined ? undefined : parseKeks(text, path)
}

/**
 * Makes a key file with a new random key. Another vault that shares the directory may have made it meanwhile: then its
 * keys are returned, since something may be sealed under them already.
 */
export function createKekFile(path: string): Secret[] {
  const key = randomBytes(kekBytes).toString('base64')
  return parseKeks(createPrivateFile(path, `${key}\n`), path)
}

/** The key file of a data directory. */
export function kekPath(dataDirectory: string): string {
  return join(dataDirectory, 'kek')
}

function parseKeks(text: string, path: string): Secret[] {
  const lines = text.split('\n').map((line) => line.trim())
  const keys = lines.filter(Boolean)
  if (keys.length === 0) throw new AuthconnError('key_encryption_key_wrong', `${path} does not hold a key`)
  return keys.map((key) => {
    if (isKek(key)) return new Secret(key)
    throw new AuthconnError('key_encryption_key_wrong', `${path}: line ${lines.indexOf(key) + 1} is not a key`)
  })
}
