import { DecryptCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms'
import type { KeyServiceSource } from '../../core/crypto/kek-source.ts'
import { type Binding, inOneLine, type KeyService, KeyServiceFailure } from './key-service.ts'

/** A symmetric key of AWS KMS, with the credentials that the AWS client finds. The binding is its encryption context. */
export function openAwsKms({ arn, region }: Extract<KeyServiceSource, { kind: 'aws-kms' }>): KeyService {
  // One attempt: they are made, and bounded, in one place for all services.
  const client = new KMSClient({ region, maxAttempts: 1 })

  return {
    title: 'AWS KMS',
    async wrap(bytes, binding, abortSignal) {
      const command = new EncryptCommand({ KeyId: arn, Plaintext: bytes, EncryptionContext: contextOf(binding) })
      const { CiphertextBlob } = await client.send(command, { abortSignal }).catch(fail)
      return required(CiphertextBlob)
    },
    async unwrap(wrapped, binding, abortSignal) {
      // The ciphertext names a key as well; only this one is believed.
      const command = new DecryptCommand({
        KeyId: arn,
        CiphertextBlob: wrapped,
        EncryptionContext: contextOf(binding),
      })
      const { Plaintext } = await client.send(command, { abortSignal }).catch(fail)
      return required(Plaintext)
    },
  }
}

/** CloudTrail shows it, and policies can ask for it by these names. */
function contextOf({ workspace, dataKey }: Binding): Record<string, string> {
  return { 'authconn:workspace': workspace, 'authconn:data-key': dataKey }
}

function required(bytes: Uint8Array | undefined): Uint8Array {
  if (!bytes) throw new KeyServiceFailure('passing', 'It answered without a result')
  return bytes
}

const wrongCiphertext = new Set(['InvalidCiphertextException', 'IncorrectKeyException'])
/** Answered with 400, but not for good. After the last two the client has set its clock right. */
const passing = /Throttl|TooManyRequests|LimitExceeded|RequestTimeout|RequestTimeTooSkewed|RequestExpired/

function fail(error: unknown): never {
  const { name = '', $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } }
  const status = $metadata?.httpStatusCode
  if (wrongCiphertext.has(name)) throw new KeyServiceFailure('wrong', inOneLine(error))
  const isRefusal = status !== undefined && status >= 400 && status < 500 && status !== 429 && !passing.test(name)
  throw new KeyServiceFailure(isRefusal ? 'refused' : 'passing', inOneLine(error))
}
