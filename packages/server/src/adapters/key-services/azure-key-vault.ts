import { DefaultAzureCredential } from '@azure/identity'
import { CryptographyClient, KeyClient, type KeyVaultKey } from '@azure/keyvault-keys'
import type { KeyServiceSource } from '../../core/crypto/kek-source.ts'
import { frameWrapped, isSignedBy, parseWrapped, signedDigest } from './azure-wrapped.ts'
import { inOneLine, type KeyService, KeyServiceFailure } from './key-service.ts'

type Source = Extract<KeyServiceSource, { kind: 'azure-key-vault' }>

/**
 * An RSA key of Azure Key Vault or Managed HSM, with the credentials that Azure's library finds. Wrapping with RSA takes
 * no additional data and can be done by anybody who has the public key: so the key also signs what was wrapped, with the
 * binding (docs/decisions/0019).
 */
export function openAzureKeyVault(source: Source): KeyService {
  const credential = new DefaultAzureCredential()
  // One attempt: they are made, and bounded, in one place for all services.
  const options = { retryOptions: { maxRetries: 0 } }
  const keys = new KeyClient(source.vaultUrl, credential, options)
  /** A version never changes. Each client is told once where to get a token, by a call of its own. */
  const versions = new Map<string, KeyVersion>()

  async function getVersion(version: string | undefined, abortSignal: AbortSignal): Promise<KeyVersion> {
    const known = version === undefined ? undefined : versions.get(version)
    if (known) return known
    const key = await keys
      .getKey(source.name, { abortSignal, ...(version === undefined ? {} : { version }) })
      .catch(fail('get'))
    const id = key.properties.version
    if (!id || !key.key?.n || !key.key.e) {
      throw new KeyServiceFailure('refused', `The key is of type ${key.keyType}: it must be RSA or RSA-HSM`)
    }
    const found = versions.get(id) ?? {
      id,
      key,
      client: new CryptographyClient(undated(key), credential, options),
    }
    versions.set(id, found)
    return found
  }

  return {
    title: 'Azure Key Vault',
    async wrap(bytes, binding, abortSignal) {
      const { id, client } = await getVersion(source.version, abortSignal)
      const { result: wrapped } = await client
        .wrapKey('RSA-OAEP-256', bytes, { abortSignal })
        .catch(fail('wrapKey'))
      const unsigned = { version: id, wrapped }
      const { result: signature } = await client
        .sign('PS256', signedDigest(unsigned, binding), { abortSignal })
        .catch(fail('sign'))
      return frameWrapped({ ...unsigned, signature })
    },
    async unwrap(framed, binding, abortSignal) {
      const parts = parseWrapped(framed)
      if (!parts) throw new KeyServiceFailure('wrong', 'It was not wrapped by Azure Key Vault')
      const { key, client } = await getVersion(parts.version, abortSignal)
      if (!isSignedBy(key, parts, binding)) {
        throw new KeyServiceFailure('wrong', 'It bears no signature of the key for this workspace and data key')
      }
      const { result } = await client
        .unwrapKey('RSA-OAEP-256', parts.wrapped, { abortSignal })
        .catch(fail('unwrapKey'))
      return result
    },
  }
}

interface KeyVersion {
  id: string
  key: KeyVaultKey
  client: CryptographyClient
}

/** The service unwraps with a key that has expired, and wraps with none; its client would not even ask. */
function undated({
  properties: { expiresOn: _expiresOn, notBefore: _notBefore, ...properties },
  ...key
}: KeyVaultKey) {
  return { ...key, properties }
}

function fail(operation: string) {
  return function failWith(error: unknown): never {
    const message = `${operation}: ${inOneLine(error)}`
    const { name, statusCode: status } = error as { name?: string; statusCode?: number }
    if (status === undefined) {
      // A plain error is what the client says of the key itself: expired, or not for this operation.
      throw new KeyServiceFailure(name === 'Error' ? 'refused' : 'passing', message)
    }
    if (status === 408 || status === 429 || status >= 500) throw new KeyServiceFailure('passing', message)
    throw new KeyServiceFailure(operation === 'unwrapKey' && status === 400 ? 'wrong' : 'refused', message)
  }
}
