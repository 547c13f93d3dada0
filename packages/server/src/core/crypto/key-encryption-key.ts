import { createCipheriv, createDecipheriv, createHash, randomBytes, randomUUID } from 'node:crypto'
import { AuthconnError } from '../errors.ts'
import type { DataKey } from '../ports.ts'

/** Wraps and unwraps data keys. `id` tells keys apart without telling anything of their bytes. */
export interface KeyEncryptionKey {
  id: string
  wrap(workspaceId: string, dataKeyId: string, bytes: Uint8Array): Promise<Uint8Array>
  /** Throws key_encryption_key_wrong when the data key was wrapped by another key, or is damaged. */
  unwrap(dataKey: DataKey): Promise<Uint8Array>
}

/** All the key-encryption keys that were given: what is new is wrapped by the current one, what is there opens by its own. */
export interface KeyEncryptionKeys {
  readonly current: KeyEncryptionKey
  find(kekId: string): KeyEncryptionKey | undefined
}

export function createKeks(
  current: KeyEncryptionKey,
  previous: readonly KeyEncryptionKey[] = [],
): KeyEncryptionKeys {
  const byId = new Map([...previous, current].map((kek) => [kek.id, kek]))
  return { current, find: (kekId) => byId.get(kekId) }
}

export const kekBytes = 32
const nonceBytes = 12
const tagBytes = 16

/** A key-encryption key whose 32 bytes are in this process's memory: AES-256-GCM, nonce ‖ ciphertext ‖ tag. */
export function createLocalKek(key: Uint8Array): KeyEncryptionKey {
  const id = createHash('sha256').update('authconn key-encryption key id').update(key).digest('hex').slice(0, 16)
  const aad = (workspaceId: string, dataKeyId: string) =>
    Buffer.from(JSON.stringify(['authconn', 'data-key', workspaceId, dataKeyId, id]))

  return {
    id,
    async wrap(workspaceId, dataKeyId, bytes) {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
      cipher.setAAD(aad(workspaceId, dataKeyId))
      return Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()])
    },
    async unwrap({ id: dataKeyId, workspaceId, wrapped }) {
      const nonce = wrapped.subarray(0, nonceBytes)
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
      decipher.setAAD(aad(workspaceId, dataKeyId))
      decipher.setAuthTag(wrapped.subarray(wrapped.length - tagBytes))
      try {
        return Buffer.concat([
          decipher.update(wrapped.subarray(nonceBytes, wrapped.length - tagBytes)),
          decipher.final(),
        ])
      } catch (cause) {
        throw new AuthconnError('key_encryption_key_wrong', `Data key ${dataKeyId} does not unwrap`, { cause })
      }
    },
  }
}

/** Whether the text is a key in base64, neither more nor less. */
export function isKek(text: string): boolean {
  return /^[A-Za-z0-9+/]{43}=$/.test(text)
}

/** Throws key_encryption_key_wrong when the data key is damaged, or the key that wrapped it was not given. */
export async function unwrapDataKey(keks: KeyEncryptionKeys, dataKey: DataKey): Promise<Uint8Array> {
  const kek = keks.find(dataKey.kekId)
  if (!kek) {
    throw new AuthconnError(
      'key_encryption_key_wrong',
      `Data key ${dataKey.id} was wrapped by the key with id ${dataKey.kekId}, which was not given; the current key has id ${keks.current.id}`,
    )
  }
  return kek.unwrap(dataKey)
}

/** A new random data key for a workspace, already wrapped by the current key-encryption key. */
export async function createDataKey(
  keks: KeyEncryptionKeys,
  workspaceId: string,
  version: number,
): Promise<DataKey> {
  const id = randomUUID()
  const wrapped = await keks.current.wrap(workspaceId, id, randomBytes(kekBytes))
  return { id, workspaceId, version, kekId: keks.current.id, wrapped }
}
