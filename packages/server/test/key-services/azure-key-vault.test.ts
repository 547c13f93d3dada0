import { constants, createHash, publicEncrypt, randomBytes, sign } from 'node:crypto'
import tls from 'node:tls'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { openAzureKeyVault } from '../../src/adapters/key-services/azure-key-vault.ts'
import { frameWrapped, parseWrapped, signedDigest } from '../../src/adapters/key-services/azure-wrapped.ts'
import { parseKekSource } from '../../src/core/crypto/kek-source.ts'
import { azureCertificate } from './support/azure-certificate.ts'
import { type FakeAzureKeyVault, fakeAzureKeyVault } from './support/fake-azure-key-vault.ts'
import './support/resolve-azure.ts'

const binding = { workspace: 'workspace-1', dataKey: 'data-key-1' }
const bytes = randomBytes(32)
const signal = AbortSignal.timeout(30_000)

let vault: FakeAzureKeyVault
beforeEach(async () => {
  vault = await fakeAzureKeyVault()
  for (const [name, value] of Object.entries(vault.identityEnvironment)) vi.stubEnv(name, value)
  const trusted = tls.getCACertificates('default')
  tls.setDefaultCACertificates([...trusted, azureCertificate.cert])
  onTestFinished(() => {
    tls.setDefaultCACertificates(trusted)
    vi.unstubAllEnvs()
  })
})

function open(version = '') {
  const source = parseKekSource(`${vault.kek}${version}`)
  if (!('kind' in source) || source.kind !== 'azure-key-vault') throw new Error('no key of Azure')
  return openAzureKeyVault(source)
}

const unwrapped = async (wrapped: Uint8Array, service = open()) =>
  Buffer.from(await service.unwrap(wrapped, binding, signal))

describe('a key in Azure Key Vault', () => {
  test('wraps with its newest version, and unwraps with the version that wrapped', async () => {
    const service = open()
    const [first] = vault.versions
    const old = await service.wrap(bytes, binding, signal)
    const second = vault.rotate()
    const young = await service.wrap(bytes, binding, signal)
    expect([old, young].map((wrapped) => parseWrapped(wrapped)?.version)).toEqual([first?.id, second.id])
    for (const wrapped of [old, young]) {
      expect(await unwrapped(wrapped, service)).toEqual(bytes)
      expect(await unwrapped(wrapped)).toEqual(bytes)
    }
  })

  test('wraps with the version that is named', async () => {
    const [first] = vault.versions
    vault.rotate()
    const wrapped = await open(`/${first?.id}`).wrap(bytes, binding, signal)
    expect(parseWrapped(wrapped)?.version).toBe(first?.id)
  })

  test('unwraps when it has expired, as the service does', async () => {
    const wrapped = await open().wrap(bytes, binding, signal)
    for (const version of vault.versions) version.expires = Math.floor(Date.now() / 1000) - 60
    expect(await unwrapped(wrapped)).toEqual(bytes)
  })

  test('is refused when it is no RSA key', async () => {
    vault.fault = ({ method, headers }) =>
      method === 'GET' && headers.authorization
        ? {
            status: 200,
            body: {
              key: {
                kid: `${vault.kek.slice('azure-key-vault:'.length)}/${vault.versions[0]?.id}`,
                kty: 'EC',
                crv: 'P-256',
              },
              attributes: { enabled: true },
            },
          }
        : undefined
    await expect(open().wrap(bytes, binding, signal)).rejects.toMatchObject({
      kind: 'refused',
      message: 'The key is of type EC: it must be RSA or RSA-HSM',
    })
  })
})

describe('who can write to the database and knows the public key', () => {
  const forge = (signature: (unsigned: { version: string; wrapped: Uint8Array }) => Uint8Array) => {
    const [version] = vault.versions
    if (!version) throw new Error('the key has no version')
    const oaep = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }
    const unsigned = { version: version.id, wrapped: publicEncrypt({ key: version.publicKey, ...oaep }, bytes) }
    return frameWrapped({ ...unsigned, signature: signature(unsigned) })
  }

  test('cannot plant a data key of their own, under which the vault would then seal', async () => {
    const own = await import('node:crypto').then(({ generateKeyPairSync }) =>
      generateKeyPairSync('rsa', { modulusLength: 2048 }),
    )
    const service = open()
    for (const signature of [
      () => randomBytes(256),
      () => Buffer.of(0),
      (unsigned: { version: string; wrapped: Uint8Array }) =>
        sign('sha256', signedDigest(unsigned, binding), {
          key: own.privateKey,
          padding: constants.RSA_PKCS1_PSS_PADDING,
          saltLength: 32,
        }),
    ]) {
      await expect(service.unwrap(forge(signature), binding, signal)).rejects.toMatchObject({ kind: 'wrong' })
    }
    expect(vault.calls.filter(({ path }) => path.includes('unwrapkey'))).toEqual([])
  })

  test('cannot give the signature of one data key to another', async () => {
    const service = open()
    const parts = parseWrapped(await service.wrap(bytes, binding, signal))
    const planted = forge(() => parts?.signature ?? Buffer.alloc(0))
    await expect(service.unwrap(planted, binding, signal)).rejects.toMatchObject({ kind: 'wrong' })
  })
})

test('what is signed is the binding and all of the wrapped key, apart by their lengths', () => {
  const wrapped = { version: '00'.repeat(16), wrapped: Buffer.of(1, 2, 3) }
  const bound = Buffer.from('["authconn","data-key","workspace-1","data-key-1"]')
  const expected = Buffer.concat([
    Buffer.of(0, 0, 0, bound.length),
    bound,
    Buffer.of(1),
    Buffer.alloc(16),
    Buffer.of(0, 3),
    Buffer.of(1, 2, 3),
  ])
  expect(signedDigest(wrapped, binding)).toEqual(createHash('sha256').update(expected).digest())
  const framed = frameWrapped({ ...wrapped, signature: Buffer.of(9) })
  expect(parseWrapped(framed)).toEqual({
    version: wrapped.version,
    wrapped: wrapped.wrapped,
    signature: Buffer.of(9),
  })
  for (let length = 0; length < framed.length; length++) {
    expect(parseWrapped(framed.subarray(0, length))).toBeUndefined()
  }
})
