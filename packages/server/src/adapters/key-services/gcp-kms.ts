import { GoogleAuth } from 'google-auth-library'
import type { KeyServiceSource } from '../../core/crypto/kek-source.ts'
import { findText, getText } from './answer-field.ts'
import { createBoundedFetch } from './bounded-fetch.ts'
import { bindingBytes, inOneLine, type KeyService, KeyServiceFailure } from './key-service.ts'

/**
 * A symmetric key of Google Cloud KMS, by its REST interface and Google's own library for the credentials (Application
 * Default Credentials). The binding is its additional authenticated data.
 */
export function openGcpKms(
  { name }: Extract<KeyServiceSource, { kind: 'gcp-kms' }>,
  endpoint = 'https://cloudkms.googleapis.com',
): KeyService {
  const auth = new GoogleAuth({ scopes: 'https://www.googleapis.com/auth/cloudkms' })
  const boundedFetch = createBoundedFetch()

  async function call(operation: 'encrypt' | 'decrypt', body: object, signal: AbortSignal): Promise<unknown> {
    const url = `${endpoint}/v1/${name}:${operation}`
    const headers = Object.fromEntries(await authorize(url))
    const answer = await boundedFetch(url, { headers, body, signal })
    if (answer.status !== 200) throw toFailure(operation, answer)
    return answer.body
  }

  async function authorize(url: string): Promise<Headers> {
    try {
      const client = await auth.getClient()
      return await client.getRequestHeaders(url)
    } catch (error) {
      throw new KeyServiceFailure(isForGood(error) ? 'refused' : 'passing', `No credentials: ${inOneLine(error)}`)
    }
  }

  return {
    title: 'Google Cloud KMS',
    async wrap(bytes, binding, signal) {
      const body = { plaintext: toBase64(bytes), additionalAuthenticatedData: toBase64(bindingBytes(binding)) }
      return Buffer.from(getText(await call('encrypt', body, signal), 'ciphertext'), 'base64')
    },
    async unwrap(wrapped, binding, signal) {
      const body = { ciphertext: toBase64(wrapped), additionalAuthenticatedData: toBase64(bindingBytes(binding)) }
      return Buffer.from(getText(await call('decrypt', body, signal), 'plaintext'), 'base64')
    },
  }
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

function toFailure(operation: string, { status, body }: { status: number; body: unknown }): KeyServiceFailure {
  const reason = findText(body, 'error', 'status') ?? 'no reason'
  const message = `${operation}: ${status} ${reason}: ${findText(body, 'error', 'message') ?? 'it says no more'}`
  if (status === 429 || status >= 500) return new KeyServiceFailure('passing', message)
  // A disabled version is FAILED_PRECONDITION.
  const isWrong = operation === 'decrypt' && status === 400 && reason === 'INVALID_ARGUMENT'
  return new KeyServiceFailure(isWrong ? 'wrong' : 'refused', message)
}

/** A refused key of a service account, or no credentials at all; a metadata server that is away comes back. */
function isForGood(error: unknown): boolean {
  const { status, message = '' } = error as { status?: number; message?: string }
  return (
    (status !== undefined && status >= 400 && status < 500 && status !== 429) ||
    /default credentials/.test(message)
  )
}
