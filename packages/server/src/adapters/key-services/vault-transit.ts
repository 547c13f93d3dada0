import type { KeyServiceSource, TransitAccess } from '../../core/crypto/kek-source.ts'
import { findText, getText } from './answer-field.ts'
import { createBoundedFetch } from './bounded-fetch.ts'
import { bindingBytes, type KeyService, KeyServiceFailure } from './key-service.ts'
import { createTransitToken } from './transit-token.ts'

/**
 * A key of the transit engine of HashiCorp Vault (1.13 and later) or OpenBao, by its HTTP interface. The binding is its
 * associated data.
 */
export function openVaultTransit(
  { origin, mount, name }: Extract<KeyServiceSource, { kind: 'vault-transit' }>,
  access: TransitAccess,
): KeyService {
  const boundedFetch = createBoundedFetch()
  const common = {
    'x-vault-request': 'true',
    ...(access.namespace === undefined ? {} : { 'x-vault-namespace': access.namespace }),
  }
  const token = createTransitToken(access, (path, body, signal) =>
    boundedFetch(`${origin}/v1/${path}`, { headers: common, body, signal }),
  )
  let isKnownToBind = false

  async function call(operation: 'encrypt' | 'decrypt', body: object, signal: AbortSignal): Promise<unknown> {
    const send = async () => {
      const given = await token.get(signal)
      const headers = given === undefined ? common : { ...common, 'x-vault-token': given.reveal() }
      return boundedFetch(`${origin}/v1/${mount}/${operation}/${name}`, { headers, body, signal })
    }
    let answer = await send()
    // A token that was got by a login may have been revoked before its time; a new one tells.
    if (answer.status === 403 && token.forget()) answer = await send()
    if (answer.status !== 200) throw toFailure(operation, answer)
    return answer.body
  }

  /** Servers before 1.13 take associated data for nothing, without a word. */
  async function requireBinding(ciphertext: string, signal: AbortSignal): Promise<void> {
    try {
      await call('decrypt', { ciphertext }, signal)
    } catch (error) {
      if (!(error instanceof KeyServiceFailure && error.kind === 'wrong')) throw error
      isKnownToBind = true
      return
    }
    throw new KeyServiceFailure('refused', 'The server ignores associated_data: it must be Vault 1.13 or later')
  }

  return {
    title: 'Vault transit',
    async wrap(bytes, binding, signal) {
      const body = { plaintext: toBase64(bytes), associated_data: toBase64(bindingBytes(binding)) }
      const ciphertext = getText(await call('encrypt', body, signal), 'data', 'ciphertext')
      if (!isKnownToBind) await requireBinding(ciphertext, signal)
      return Buffer.from(ciphertext)
    },
    async unwrap(wrapped, binding, signal) {
      const body = {
        ciphertext: Buffer.from(wrapped).toString('utf8'),
        associated_data: toBase64(bindingBytes(binding)),
      }
      return Buffer.from(getText(await call('decrypt', body, signal), 'data', 'plaintext'), 'base64')
    },
  }
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

function toFailure(operation: string, { status, body }: { status: number; body: unknown }): KeyServiceFailure {
  const reason = findText(body, 'errors', '0')?.replaceAll(/\s+/g, ' ').slice(0, 400) ?? 'it gives no reason'
  const message = `${operation}: ${status}: ${reason}`
  // Said with 400, and by some versions with 500.
  if (operation === 'decrypt' && /message authentication failed|invalid ciphertext/.test(reason)) {
    return new KeyServiceFailure('wrong', message)
  }
  // 412: a standby that is not up to date yet. 503: sealed, or in maintenance.
  const isPassing = status === 412 || status === 429 || status >= 500
  return new KeyServiceFailure(isPassing ? 'passing' : 'refused', message)
}
