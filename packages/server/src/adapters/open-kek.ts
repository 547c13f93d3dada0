import type { KekSource, KeyServiceAccess } from '../core/crypto/kek-source.ts'
import {
  createDataKey,
  createKeks,
  createLocalKek,
  type KeyEncryptionKey,
  type KeyEncryptionKeys,
  unwrapDataKey,
} from '../core/crypto/key-encryption-key.ts'
import { AuthconnError } from '../core/errors.ts'
import type { DataKey } from '../core/ports.ts'
import type { Secret } from '../core/secret.ts'
import { createKekFile, kekPath, readKekFile } from './files/kek-file.ts'
import { openKeyService } from './key-services/open-key-service.ts'
import { createRemoteKek } from './key-services/remote-kek.ts'

export interface KekSettings extends KeyServiceAccess {
  /** The current key's first; undefined: the key file in the data directory. */
  sources: readonly KekSource[] | undefined
}

/**
 * The key-encryption keys: the configured ones, else the key file's; undefined where there is none and the database holds
 * nothing sealed yet. Changes nothing. Throws key_encryption_key_missing, key_encryption_key_wrong, key_file_unsafe,
 * setting_invalid, kms_unavailable, kms_refused.
 */
export async function findKeks(
  { sources, ...services }: KekSettings,
  dataDirectory: string,
  sealedWith: readonly DataKey[],
): Promise<KeyEncryptionKeys | undefined> {
  const found = sources ? await openSources(sources, services) : readKekFile(kekPath(dataDirectory))?.map(toKek)
  if (!found) {
    if (sealedWith.length === 0) return undefined
    throw new AuthconnError(
      'key_encryption_key_missing',
      `The database holds sealed secrets, but there is no key in AUTHCONN_KEK, AUTHCONN_KEK_FILE or ${kekPath(dataDirectory)}`,
    )
  }
  const keks = toKeks(found)
  await checkKeks(keks, sealedWith)
  // A key that was put in front and nothing is wrapped by yet: whether it can be used shows now, and not when it has to.
  const isProven = sealedWith.some(({ kekId }) => kekId === keks.current.id)
  if (sealedWith.length > 0 && !isProven) await createDataKey(keks, 'trial', 0)
  return keks
}

/** A new key-encryption key in the data directory, or the ones that another vault has put there meanwhile. */
export function createKek(dataDirectory: string): KeyEncryptionKeys {
  return toKeks(createKekFile(kekPath(dataDirectory)).map(toKek))
}

/**
 * Throws key_encryption_key_wrong unless the keys unwrap all these data keys, and kms_unavailable or kms_refused where a
 * key service does not do it.
 */
export async function checkKeks(keks: KeyEncryptionKeys, sealedWith: readonly DataKey[]): Promise<void> {
  for (const dataKey of sealedWith) await unwrapDataKey(keks, dataKey)
}

async function openSources(
  sources: readonly KekSource[],
  services: KeyServiceAccess,
): Promise<KeyEncryptionKey[]> {
  const opened: KeyEncryptionKey[] = []
  for (const source of sources) {
    if (source.kind === 'key') opened.push(toKek(source.key))
    else if (source.kind === 'file') opened.push(...openFile(source.path))
    else opened.push(createRemoteKek(source.id, await openKeyService(source, services)))
  }
  return opened
}

function openFile(path: string): KeyEncryptionKey[] {
  const keys = readKekFile(path)
  if (!keys) throw new AuthconnError('key_encryption_key_missing', `There is no key file ${path}`)
  return keys.map(toKek)
}

function toKeks([current, ...previous]: readonly KeyEncryptionKey[]): KeyEncryptionKeys {
  if (!current) throw new Error('Where keys were read there is at least one')
  return createKeks(current, previous)
}

function toKek(key: Secret): KeyEncryptionKey {
  return createLocalKek(Buffer.from(key.reveal(), 'base64'))
}
