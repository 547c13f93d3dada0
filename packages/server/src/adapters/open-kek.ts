import { createLocalKek, type KeyEncryptionKey } from '../core/crypto/key-encryption-key.ts'
import { AuthconnError } from '../core/errors.ts'
import type { DataKey } from '../core/ports.ts'
import type { Secret } from '../core/secret.ts'
import { createKekFile, kekPath, readKekFile } from './files/kek-file.ts'

/**
 * The key-encryption key: the configured one, else the key file's; undefined where there is none and the database holds
 * nothing sealed yet. Throws key_encryption_key_missing, key_encryption_key_wrong, key_file_unsafe. Changes nothing.
 */
export async function findKek(
  configured: Secret | undefined,
  dataDirectory: string,
  sealedWith: readonly DataKey[],
): Promise<KeyEncryptionKey | undefined> {
  const found = configured ?? readKekFile(dataDirectory)
  if (!found) {
    if (sealedWith.length === 0) return undefined
    throw new AuthconnError(
      'key_encryption_key_missing',
      `The database holds sealed secrets, but there is no key in AUTHCONN_KEK, AUTHCONN_KEK_FILE or ${kekPath(dataDirectory)}`,
    )
  }
  const kek = toKek(found)
  await checkKek(kek, sealedWith)
  return kek
}

/** A new key-encryption key in the data directory, or the one that another vault has made there meanwhile. */
export function createKek(dataDirectory: string): KeyEncryptionKey {
  return toKek(createKekFile(dataDirectory))
}

/** Throws key_encryption_key_wrong unless the key unwraps all these data keys. */
export async function checkKek(kek: KeyEncryptionKey, sealedWith: readonly DataKey[]): Promise<void> {
  for (const dataKey of sealedWith) {
    if (dataKey.kekId !== kek.id) {
      throw new AuthconnError(
        'key_encryption_key_wrong',
        `The database was sealed under the key with id ${dataKey.kekId}; the key that was given has id ${kek.id}`,
      )
    }
    await kek.unwrap(dataKey)
  }
}

function toKek(key: Secret): KeyEncryptionKey {
  return createLocalKek(Buffer.from(key.reveal(), 'base64'))
}
