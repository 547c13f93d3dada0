import { constants, createHash, createPublicKey, verify } from 'node:crypto'
import type { KeyVaultKey } from '@azure/keyvault-keys'
import { type Binding, bindingBytes } from './key-service.ts'

/*
 * A data key wrapped by Azure Key Vault, format version 1:
 *   1 byte   version of the format (0x01)
 *   16 bytes version of the key
 *   2 bytes  length n of the wrapped key, big-endian
 *   n bytes  the data key, wrapped by RSA-OAEP-256
 *   m bytes  PS256 signature by the same version of the key
 *
 * What is signed: 4 bytes length of the binding, big-endian; the binding; everything before the signature.
 */
export interface AzureWrapped {
  /** 32 hexadecimal digits. */
  version: string
  wrapped: Uint8Array
  signature: Uint8Array
}

const format = 1
const headerBytes = 1 + 16 + 2

export function frameWrapped({ signature, ...unsigned }: AzureWrapped): Uint8Array {
  return Buffer.concat([frameUnsigned(unsigned), signature])
}

/** undefined for what frameWrapped did not make. */
export function parseWrapped(framed: Uint8Array): AzureWrapped | undefined {
  const bytes = Buffer.from(framed)
  if (bytes.length < headerBytes || bytes[0] !== format) return undefined
  const end = headerBytes + bytes.readUInt16BE(17)
  if (end >= bytes.length) return undefined
  return {
    version: bytes.toString('hex', 1, 17),
    wrapped: bytes.subarray(headerBytes, end),
    signature: bytes.subarray(end),
  }
}

/** What the key is given to sign. */
export function signedDigest(unsigned: Omit<AzureWrapped, 'signature'>, binding: Binding): Uint8Array {
  return createHash('sha256').update(signedBytes(unsigned, binding)).digest()
}

/** Whether that version of the key signed it, for that binding. Takes no call: the public key is known. */
export function isSignedBy(
  { key }: KeyVaultKey,
  { signature, ...unsigned }: AzureWrapped,
  binding: Binding,
): boolean {
  if (!key?.n || !key.e) return false
  const jwk = { kty: 'RSA', n: toBase64Url(key.n), e: toBase64Url(key.e) }
  const publicKey = createPublicKey({ key: jwk, format: 'jwk' })
  const pss = { key: publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
  return verify('sha256', signedBytes(unsigned, binding), pss, signature)
}

function signedBytes(unsigned: Omit<AzureWrapped, 'signature'>, binding: Binding): Buffer {
  const bound = bindingBytes(binding)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bound.length)
  return Buffer.concat([length, bound, frameUnsigned(unsigned)])
}

function frameUnsigned({ version, wrapped }: Omit<AzureWrapped, 'signature'>): Buffer {
  const header = Buffer.alloc(headerBytes)
  header[0] = format
  header.write(version, 1, 'hex')
  header.writeUInt16BE(wrapped.length, 17)
  return Buffer.concat([header, wrapped])
}

function toBase64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}
