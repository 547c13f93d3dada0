import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

/** A symmetric key as a service holds it: it authenticates what goes with a ciphertext, as the real ones do. */
export function createServiceKey() {
  const key = randomBytes(32)
  return {
    encrypt(plaintext: Uint8Array, context: string): Buffer {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context))
      return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
    },
    /** undefined when it does not open. */
    decrypt(ciphertext: Buffer, context: string): Buffer | undefined {
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, ciphertext.subarray(0, 12))
        decipher.setAAD(Buffer.from(context)).setAuthTag(ciphertext.subarray(-16))
        return Buffer.concat([decipher.update(ciphertext.subarray(12, -16)), decipher.final()])
      } catch {
        return undefined
      }
    },
  }
}
