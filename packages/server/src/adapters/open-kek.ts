import {
  createKeks,
  createLocalKek,
  type KeyEncryptionKeys,
  unwrapDataKey,
} from '../core/crypto/key-encryption-key.ts'
import { AuthconnError } from '../core/errors.ts'
import type { DataKey } from '../core/ports.ts'
import type { Secret } from '../core/secret.ts'
import { createKekFile, kekPath, readKekFile } from './files/kek-file.ts'

/**
 * The key-encryption keys: the configured one, else the key file's; undefined where there is none and the database holds
 * nothing sealed yet. Throws key_encryption_key_missing, key_encryption_key_wrong, key_file_unsafe. Changes nothing.
 */
export async function findKeks(
  configured: Secret | undefined,
  dataDirectory: string,
  sealedWith: readonly DataKey[],
): Promise<KeyEncryptionKeys | undefined> {
  const found = configured ?? readKekFile(dataDirectory)
  if (!found) {
    if (sealedWith.length === 0) return undefined
    throw new AuthconnError(
      'key_encryption_key_missing',
      `The database holds sealed secrets, but there is no key in AUTHCONN_KEK, AUTHCONN_KEK_FILE or ${kekPath(dataDirectory)}`,
    )
  }
  const keks = toKeks(found)
  await checkKeks(keks, sealedWith)
  return keks
}

/** A new key-encryption key in the data directory, or the one that another vault has made there meanwhile. */
export function createKek(dataDirectory: string): KeyEncryptionKeys {
  return toKeks(createKekFile(dataDirectory))
}

/** Throws key_encryption_key_wrong unless the keys unwrap all these data keys. */
export async function checkKeks(keks: KeyEncryptionKeys, sealedWith: readonly DataKey[]): Promise<void> {
  for (const dataKey of sealedWith) await unwrapDataKey(keks, dataKey)
}

function toKeks(key: Secret): KeyEncryptionKeys {
  return createKeks(createLocalKek(Buffer.from(key.reveal(), 'base64')))
}
