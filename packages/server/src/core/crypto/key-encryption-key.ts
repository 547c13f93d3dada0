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

/** A new random data key for a workspace, already wrapped. */
export async function createDataKey(
  kek: KeyEncryptionKey,
  workspaceId: string,
  version: number,
): Promise<DataKey> {
  const id = randomUUID()
  const wrapped = await kek.wrap(workspaceId, id, randomBytes(kekBytes))
  return { id, workspaceId, version, kekId: kek.id, wrapped }
}
