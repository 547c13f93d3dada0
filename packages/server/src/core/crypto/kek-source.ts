import { Secret } from '../secret.ts'
import { isKek } from './key-encryption-key.ts'

/** Where a key-encryption key is, as one entry of AUTHCONN_KEK says it. */
export type KekSource = { kind: 'key'; key: Secret } | { kind: 'file'; path: string } | KeyServiceSource

/** A key that never leaves its service. `id` is what data keys are marked with that it wrapped. */
export type KeyServiceSource =
  | { kind: 'aws-kms'; id: string; arn: string; region: string }
  | { kind: 'gcp-kms'; id: string; name: string }
  | { kind: 'azure-key-vault'; id: string; vaultUrl: string; name: string; version: string | undefined }
  | { kind: 'vault-transit'; id: string; origin: string; mount: string; name: string }

/** What key services need besides the names of their keys. */
export interface KeyServiceAccess {
  /** Where Google Cloud KMS is; undefined: where it is for everybody. */
  readonly gcpEndpoint: string | undefined
  readonly transit: TransitAccess
}

/** How the vault shows itself to HashiCorp Vault or OpenBao. Without any of the first three it is an agent that does so. */
export interface TransitAccess {
  readonly token: Secret | undefined
  /** Read at every call, since an agent that keeps the token alive writes it anew. */
  readonly tokenFile: string | undefined
  /** A login with the JWT in a file, by the Kubernetes or JWT method that is mounted there. */
  readonly login: { readonly mount: string; readonly role: string; readonly jwtFile: string } | undefined
  readonly namespace: string | undefined
}

/** The forms an entry takes, for messages. */
export const kekForms = [
  '32 bytes in base64',
  'file:/PATH',
  'aws-kms:KEY_ARN',
  'gcp-kms:projects/P/locations/L/keyRings/R/cryptoKeys/K',
  'azure-key-vault:https://VAULT/keys/NAME[/VERSION]',
  'vault-transit:https://HOST/MOUNT/NAME',
]

/** The source that an entry names, or what is wrong with it in words that do not repeat it: it may be a key. */
export function parseKekSource(text: string): KekSource | { problem: string } {
  if (isKek(text)) return { kind: 'key', key: new Secret(text) }
  const [, scheme = '', rest = ''] = /^([a-z-]+):(.*)$/.exec(text) ?? []
  const parse = Object.hasOwn(schemes, scheme) ? schemes[scheme] : undefined
  return parse?.(rest) ?? { problem: `must be one of ${kekForms.join(', ')}` }
}

const schemes: Readonly<Record<string, (rest: string) => KekSource | { problem: string }>> = {
  file(path) {
    return /^(\/|[A-Za-z]:[\\/])/.test(path) ? { kind: 'file', path } : { problem: 'file: takes an absolute path' }
  },
  'aws-kms': parseAwsKms,
  'gcp-kms': parseGcpKms,
  'azure-key-vault': parseAzureKeyVault,
  'vault-transit': parseVaultTransit,
}

/**
 * Only a key's ARN: an alias can be moved to another key, and what the one before had wrapped would then open no more.
 * Replicas of a multi-region key hold the same key, so their id leaves the region out.
 */
function parseAwsKms(arn: string): KekSource | { problem: string } {
  const [, partition, region, account, key] =
    /^arn:(aws[a-z-]*):kms:([a-z0-9-]+):(\d{12}):key\/([A-Za-z0-9-]+)$/.exec(arn) ?? []
  if (!region || !key) {
    return { problem: 'aws-kms: takes the ARN of a key (arn:aws:kms:REGION:ACCOUNT:key/ID), and not of an alias' }
  }
  const place = key.startsWith('mrk-') ? '*' : region
  return { kind: 'aws-kms', id: `aws-kms:arn:${partition}:kms:${place}:${account}:key/${key}`, arn, region }
}

function parseGcpKms(name: string): KekSource | { problem: string } {
  if (!/^projects\/[a-z0-9][\w.:-]*\/locations\/[\w-]+\/keyRings\/[\w-]+\/cryptoKeys\/[\w-]+$/.test(name)) {
    return {
      problem:
        'gcp-kms: takes projects/P/locations/L/keyRings/R/cryptoKeys/K, without a version: decrypting finds its own',
    }
  }
  return { kind: 'gcp-kms', id: `gcp-kms:${name}`, name }
}

/** With a version it is a key of its own: that is how one version is left for the next. */
function parseAzureKeyVault(text: string): KekSource | { problem: string } {
  const url = plainUrl(text)
  const [, name, version] = /^\/keys\/([A-Za-z0-9-]{1,127})(?:\/([0-9a-f]{32}))?$/.exec(url?.pathname ?? '') ?? []
  if (url?.protocol !== 'https:' || !name) {
    return {
      problem:
        'azure-key-vault: takes the URL of a key, https://VAULT/keys/NAME or https://VAULT/keys/NAME/VERSION',
    }
  }
  return { kind: 'azure-key-vault', id: `azure-key-vault:${url.href}`, vaultUrl: url.origin, name, version }
}

function parseVaultTransit(text: string): KekSource | { problem: string } {
  const url = plainUrl(text)
  const [, mount, name] = /^\/((?:[\w.-]+\/)*[\w.-]+)\/([\w.-]+)$/.exec(url?.pathname ?? '') ?? []
  if (!url || !isPrivate(url) || !mount || !name) {
    return {
      problem:
        'vault-transit: takes https://HOST/MOUNT/NAME, the address of the server, of its transit engine and of the key; http only on this machine',
    }
  }
  return { kind: 'vault-transit', id: `vault-transit:${url.href}`, origin: url.origin, mount, name }
}

/** A URL that holds nothing but an address and a path. */
function plainUrl(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url && !url.username && !url.password && !/[?#]/.test(text) ? url : undefined
}

/** Whether what is sent there can be read by nobody between: it is encrypted, or never leaves the machine. */
export function isPrivate(url: URL): boolean {
  if (url.protocol === 'https:') return true
  return url.protocol === 'http:' && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url.hostname)
}
