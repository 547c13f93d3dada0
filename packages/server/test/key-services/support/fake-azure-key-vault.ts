import {
  constants,
  createHash,
  generateKeyPairSync,
  type KeyObject,
  privateDecrypt,
  privateEncrypt,
  publicEncrypt,
  randomBytes,
} from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { azureCertificate } from './azure-certificate.ts'
import { type Call, type FakeService, type Reply, serveKeyService } from './serve-key-service.ts'

export const azureHost = 'authconn-test.vault.azure.net'

interface Version {
  id: string
  publicKey: KeyObject
  privateKey: KeyObject
  /** Seconds since 1970. */
  expires?: number
}

export interface FakeAzureKeyVault extends FakeService {
  /** As AUTHCONN_KEK names its key. */
  kek: string
  /** Oldest first. */
  versions: Version[]
  rotate(): Version
  identity: FakeService
  /** The calls past the first, by which the client learns where to get a token. */
  authorizedCalls(): Call[]
  /** Where the identity of the machine is. */
  identityEnvironment: Record<string, string>
  /** For a process: that, how the vault's name resolves, and whose certificate it has. */
  environment(certificateFile: string): Record<string, string>
}

/** Azure Key Vault with one RSA key, by HTTPS under a name of Azure's, and the managed identity that calls it. */
export async function fakeAzureKeyVault(): Promise<FakeAzureKeyVault> {
  const token = 'eyJ0.of-the-identity'
  const identity = await serveKeyService(({ headers, path }) => {
    const isAsked =
      headers['x-identity-header'] === 'the header' && path.includes('resource=https%3A%2F%2Fvault.azure.net')
    if (!isAsked) return { status: 400, body: { error: 'invalid_request' } }
    const expires_on = String(Math.floor(Date.now() / 1000) + 3600)
    return {
      status: 200,
      body: { access_token: token, expires_on, resource: 'https://vault.azure.net', token_type: 'Bearer' },
    }
  })
  const versions: Version[] = []
  const rotate = () => {
    const version = { id: randomBytes(16).toString('hex'), ...generateKeyPairSync('rsa', { modulusLength: 2048 }) }
    versions.push(version)
    return version
  }
  rotate()

  const service = await serveKeyService((call) => {
    if (call.headers.authorization !== `Bearer ${token}`) {
      const challenge =
        'Bearer authorization="https://login.windows.net/tenant", resource="https://vault.azure.net"'
      return { status: 401, headers: { 'www-authenticate': challenge }, body: { error: { code: 'Unauthorized' } } }
    }
    return operate(call)
  }, azureCertificate)
  const origin = `https://${azureHost}:${service.port}`

  function operate({ method, path, body }: Call): Reply {
    const { pathname } = new URL(path, origin)
    const [, , name, id = '', operation] = pathname.split('/')
    const version = id === '' ? versions.at(-1) : versions.find((each) => each.id === id)
    if (name !== 'kek' || !version) return refuse(404, 'KeyNotFound')
    const kid = `${origin}/keys/kek/${version.id}`
    if (method === 'GET') return { status: 200, body: bundleOf(kid, version) }
    const value = Buffer.from(body.value, 'base64url')
    const result = operations[`${operation} ${body.alg}`]?.(version, value)
    return result
      ? { status: 200, body: { kid, value: result.toString('base64url') } }
      : refuse(400, 'BadParameter')
  }

  const identityEnvironment = {
    // Nothing of the developer's own.
    AZURE_TENANT_ID: '',
    AZURE_CLIENT_ID: '',
    AZURE_CLIENT_SECRET: '',
    AZURE_FEDERATED_TOKEN_FILE: '',
    IDENTITY_ENDPOINT: `http://127.0.0.1:${identity.port}/msi/token`,
    IDENTITY_HEADER: 'the header',
  }
  return Object.assign(service, {
    identityEnvironment,
    kek: `azure-key-vault:${origin}/keys/kek`,
    versions,
    rotate,
    identity,
    authorizedCalls: () => service.calls.filter(({ headers }) => headers.authorization !== undefined),
    environment(certificateFile: string) {
      writeFileSync(certificateFile, azureCertificate.cert)
      return {
        NODE_EXTRA_CA_CERTS: certificateFile,
        NODE_OPTIONS: `--import=${fileURLToPath(new URL('resolve-azure.ts', import.meta.url))}`,
        ...identityEnvironment,
      }
    },
  })
}

export function refuse(status: number, code: string): Reply {
  return { status, body: { error: { code, message: `about the key (${code})` } } }
}

const oaep = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }

const operations: Record<string, (version: Version, value: Buffer) => Buffer | undefined> = {
  'wrapkey RSA-OAEP-256': ({ publicKey }, value) => publicEncrypt({ key: publicKey, ...oaep }, value),
  'unwrapkey RSA-OAEP-256'({ privateKey }, value) {
    try {
      return privateDecrypt({ key: privateKey, ...oaep }, value)
    } catch {
      return undefined
    }
  },
  'sign PS256': ({ privateKey }, digest) => signDigest(privateKey, digest),
}

/** RFC 8017 section 9.1.1 by hand: what Key Vault is given is a digest already, which Node would hash again. */
function signDigest(key: KeyObject, digest: Buffer): Buffer {
  const salt = randomBytes(32)
  const hash = sha256(Buffer.alloc(8), digest, salt)
  const masked = Buffer.alloc(256 - 32 - 1)
  masked[masked.length - 33] = 1
  salt.copy(masked, masked.length - 32)
  for (let at = 0; at < masked.length; at++) {
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(at >> 5)
    masked[at] = (masked[at] ?? 0) ^ (sha256(hash, counter)[at & 31] ?? 0)
  }
  masked[0] = (masked[0] ?? 0) & 0x7f
  const encoded = Buffer.concat([masked, hash, Buffer.of(0xbc)])
  return privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, encoded)
}

function sha256(...parts: Buffer[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest()
}

function bundleOf(kid: string, { publicKey, expires }: Version) {
  const { n, e } = publicKey.export({ format: 'jwk' })
  const key_ops = ['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey']
  const attributes = {
    enabled: true,
    created: 1_700_000_000,
    updated: 1_700_000_000,
    ...(expires === undefined ? {} : { exp: expires }),
  }
  return { key: { kid, kty: 'RSA', key_ops, n, e }, attributes }
}
