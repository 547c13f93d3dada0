import type { KeyServiceAccess, KeyServiceSource } from '../../core/crypto/kek-source.ts'
import { AuthconnError } from '../../core/errors.ts'
import type { KeyService } from './key-service.ts'

/** Loads the client of a key service, which is installed only where it is used. Throws setting_invalid. */
export async function openKeyService(source: KeyServiceSource, access: KeyServiceAccess): Promise<KeyService> {
  switch (source.kind) {
    case 'aws-kms': {
      const { openAwsKms } = await import('./aws-kms.ts').catch(notInstalled(source.kind, '@aws-sdk/client-kms'))
      return openAwsKms(source)
    }
    case 'gcp-kms': {
      const { openGcpKms } = await import('./gcp-kms.ts').catch(notInstalled(source.kind, 'google-auth-library'))
      return openGcpKms(source, access.gcpEndpoint)
    }
    case 'azure-key-vault': {
      const { openAzureKeyVault } = await import('./azure-key-vault.ts').catch(
        notInstalled(source.kind, '@azure/keyvault-keys @azure/identity'),
      )
      return openAzureKeyVault(source)
    }
    case 'vault-transit': {
      const { openVaultTransit } = await import('./vault-transit.ts')
      return openVaultTransit(source, access.transit)
    }
  }
}

function notInstalled(scheme: string, packages: string) {
  return function refuse(cause: unknown): never {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND')) throw cause
    const detail = `A key-encryption key is given as ${scheme}:…, whose client is not installed. Run: npm install ${packages}`
    throw new AuthconnError('setting_invalid', detail, { cause })
  }
}
