import { randomBytes, randomUUID } from 'node:crypto'
import tls from 'node:tls'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { openKeyService } from '../../src/adapters/key-services/open-key-service.ts'
import { createRemoteKek, type Patience } from '../../src/adapters/key-services/remote-kek.ts'
import { type KeyServiceAccess, parseKekSource } from '../../src/core/crypto/kek-source.ts'
import type { KeyEncryptionKey } from '../../src/core/crypto/key-encryption-key.ts'
import type { DataKey } from '../../src/core/ports.ts'
import { Secret } from '../../src/core/secret.ts'
import { azureCertificate } from './support/azure-certificate.ts'
import { awsArn, fakeAwsKms, refuse as refuseAsAws } from './support/fake-aws-kms.ts'
import { fakeAzureKeyVault, refuse as refuseAsAzure } from './support/fake-azure-key-vault.ts'
import { fakeGcpKms, gcpName, refuse as refuseAsGcp } from './support/fake-gcp-kms.ts'
import { fakeTransit, refuse as refuseAsTransit } from './support/fake-transit.ts'
import type { Call, FakeService, Fault } from './support/serve-key-service.ts'
import './support/resolve-azure.ts'

let now = 0
const patience = {
  attemptMs: 10_000,
  pausesMs: [10, 10],
  restMs: { first: 60_000, longest: 60_000 },
  clock: () => now,
}

interface Subject {
  kek: string
  service: FakeService
  settings?: Partial<KeyServiceAccess>
  /** Calls for a wrap, and for an unwrap, in order, as the service tells them apart. */
  calls(): string[]
  wrapCalls: string[]
  unwrapCalls: string[]
  /** Answers as the service does that does not let us, that does not know the key, that has it disabled. */
  refusals: Fault[]
  passing: Fault[]
}

const nameOf = (call: Call) => `${call.method} ${call.path.replace(/\?.*/, '').replace(/[0-9a-f]{32}/, 'VERSION')}`

const subjects: Record<string, () => Promise<Subject>> = {
  async 'AWS KMS'() {
    const service = await fakeAwsKms()
    stubEnvironment(service.environment)
    return {
      kek: `aws-kms:${awsArn}`,
      service,
      calls: () => service.calls.map(({ headers }) => String(headers['x-amz-target'])),
      wrapCalls: ['TrentService.Encrypt', 'TrentService.Decrypt'],
      unwrapCalls: ['TrentService.Decrypt'],
      refusals: [
        refuseAsAws('AccessDeniedException', 'User is not authorized'),
        refuseAsAws('NotFoundException', 'no such key'),
        refuseAsAws('DisabledException', 'is disabled'),
        refuseAsAws('UnrecognizedClientException', 'no such user'),
      ],
      passing: [
        refuseAsAws('ThrottlingException', 'slow down'),
        { status: 500, body: { __type: 'KMSInternalException' } },
      ],
    }
  },
  async 'Google Cloud KMS'() {
    const service = await fakeGcpKms()
    stubEnvironment(service.environment)
    return {
      kek: `gcp-kms:${gcpName}`,
      service,
      settings: { gcpEndpoint: service.endpoint },
      calls: () => service.calls.map(({ path }) => path.replace(/.*:/, '')),
      wrapCalls: ['encrypt', 'decrypt'],
      unwrapCalls: ['decrypt'],
      refusals: [
        refuseAsGcp(403, 'PERMISSION_DENIED'),
        refuseAsGcp(404, 'NOT_FOUND'),
        refuseAsGcp(400, 'FAILED_PRECONDITION'),
      ],
      passing: [
        refuseAsGcp(429, 'RESOURCE_EXHAUSTED'),
        refuseAsGcp(503, 'UNAVAILABLE'),
        { status: 200, body: [] },
      ],
    }
  },
  async 'Azure Key Vault'() {
    const service = await fakeAzureKeyVault()
    stubEnvironment({
      IDENTITY_ENDPOINT: `http://127.0.0.1:${service.identity.port}/msi`,
      IDENTITY_HEADER: 'the header',
    })
    trustAzureCertificate()
    return {
      kek: service.kek,
      service,
      calls: () => service.authorizedCalls().map(nameOf),
      wrapCalls: [
        'GET /keys/kek/',
        'POST /keys/kek/VERSION/wrapkey',
        'POST /keys/kek/VERSION/sign',
        'POST /keys/kek/VERSION/unwrapkey',
      ],
      unwrapCalls: ['POST /keys/kek/VERSION/unwrapkey'],
      refusals: [refuseAsAzure(403, 'Forbidden'), refuseAsAzure(404, 'KeyNotFound')],
      passing: [refuseAsAzure(429, 'Throttled'), refuseAsAzure(503, 'ServiceUnavailable')],
    }
  },
  async 'Vault transit'() {
    const service = await fakeTransit()
    return {
      kek: service.kek,
      service,
      settings: { transit: { ...noTransit, token: new Secret('hvs.the-token') } },
      calls: () => service.calls.map(({ path }) => path.split('/').at(-2) ?? ''),
      wrapCalls: ['encrypt', 'decrypt', 'decrypt'],
      unwrapCalls: ['decrypt'],
      refusals: [
        refuseAsTransit(403, 'permission denied'),
        refuseAsTransit(404, 'no handler for route'),
        refuseAsTransit(400, 'encryption key not found'),
      ],
      passing: [
        refuseAsTransit(503, 'Vault is sealed'),
        refuseAsTransit(429, 'rate limit'),
        { status: 307, headers: { location: 'http://127.0.0.1:1/v1/' } },
        { status: 200, body: { data: { ciphertext: 'x'.repeat(70_000), plaintext: 'x'.repeat(70_000) } } },
      ],
    }
  },
}

const noTransit = { token: undefined, tokenFile: undefined, login: undefined, namespace: undefined }

describe.each(Object.keys(subjects))('%s', (name) => {
  const start = async () => {
    const subject = await (subjects[name] ?? expect.unreachable())()
    return { ...subject, kek: await openKek(subject), open: (more: Partial<Patience>) => openKek(subject, more) }
  }

  test('unwraps what it wrapped, and does not send it in plain', async () => {
    const { kek, service } = await start()
    const bytes = randomBytes(32)
    const dataKey = await wrap(kek, bytes)
    expect(Buffer.from(await kek.unwrap(dataKey))).toEqual(bytes)
    expect(Buffer.from(dataKey.wrapped).includes(bytes)).toBe(false)
    expect(service.calls.length).toBeGreaterThan(0)
  })

  test('is asked as little as can be: once for an unwrap, however many want the same data key', async () => {
    const { kek, calls, wrapCalls, unwrapCalls } = await start()
    const dataKey = await wrap(kek, randomBytes(32))
    expect(calls()).toEqual(wrapCalls)
    await Promise.all(Array.from({ length: 20 }, () => kek.unwrap(dataKey)))
    expect(calls()).toEqual([...wrapCalls, ...unwrapCalls])
  })

  test.each(['workspaceId', 'id'] as const)('does not unwrap a data key under another %s', async (part) => {
    const { kek } = await start()
    const dataKey = await wrap(kek, randomBytes(32))
    await expect(kek.unwrap({ ...dataKey, [part]: randomUUID() })).rejects.toMatchObject({
      code: 'key_encryption_key_wrong',
    })
  })

  test('does not unwrap what was damaged', async () => {
    const { kek } = await start()
    const dataKey = await wrap(kek, randomBytes(32))
    for (const at of [dataKey.wrapped.length >> 1, dataKey.wrapped.length - 1]) {
      const wrapped = dataKey.wrapped.map((byte, index) => (index === at ? byte ^ 1 : byte))
      await expect(kek.unwrap({ ...dataKey, wrapped }), `byte ${at}`).rejects.toMatchObject({
        code: 'key_encryption_key_wrong',
      })
    }
  })

  test('is asked again where the failure passes', async () => {
    const { kek, service, passing } = await start()
    const dataKey = await wrap(kek, randomBytes(32))
    for (const fault of [...passing, 'reset' as const]) {
      let left = 2
      service.fault = () => (left-- > 0 ? fault : undefined)
      await expect(kek.unwrap(dataKey), JSON.stringify(fault)).resolves.toHaveLength(32)
      expect(left).toBeLessThan(0)
    }
  })

  test('when it stays away, the answer says when to ask again, and comes at once until then', async () => {
    const { kek, service, calls, passing } = await start()
    const dataKey = await wrap(kek, randomBytes(32))
    const [fault] = passing
    service.fault = () => fault
    const before = calls().length
    await expect(kek.unwrap(dataKey)).rejects.toMatchObject({ code: 'kms_unavailable', retryAfter: 60 })
    expect(calls().length - before).toBe(3)
    await expect(kek.unwrap(dataKey)).rejects.toMatchObject({ code: 'kms_unavailable', retryAfter: 60 })
    expect(calls().length - before).toBe(3)
    service.fault = undefined
    now += 60_000
    await expect(kek.unwrap(dataKey)).resolves.toHaveLength(32)
  })

  test('when it does not answer, it is given up after a while', async () => {
    const { kek, service, open } = await start()
    const dataKey = await wrap(kek, randomBytes(32))
    service.fault = () => 'silent'
    const impatient = await open({ attemptMs: 300 })
    const began = performance.now()
    const error = await impatient.unwrap(dataKey).catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'kms_unavailable', cause: { message: 'No answer within 0.3 s' } })
    expect(performance.now() - began).toBeLessThan(5000)
  })

  test('is not asked again after a refusal, and only the operator is told what it said', async () => {
    const { kek, service, calls, refusals } = await start()
    const dataKey = await wrap(kek, randomBytes(32))
    for (const fault of refusals) {
      service.fault = () => fault
      const before = calls().length
      const error = await kek.unwrap(dataKey).catch((error: unknown) => error)
      expect(error, JSON.stringify(fault)).toMatchObject({ code: 'kms_refused', cause: { kind: 'refused' } })
      expect(error).toHaveProperty('message', `${name} refuses to use the key-encryption key`)
      expect(calls().length - before).toBe(1)
    }
  })

  test('no data key comes out of it that does not open again', async () => {
    const { kek, service, refusals } = await start()
    const [fault] = refusals
    // May encrypt, and not decrypt.
    service.fault = (call) =>
      /decrypt|unwrapkey/i.test(`${call.path} ${call.headers['x-amz-target']}`) ? fault : undefined
    await expect(wrap(kek, randomBytes(32))).rejects.toMatchObject({ code: 'kms_refused' })
  })
})

async function openKek({ kek, settings }: Subject, more: Partial<Patience> = {}): Promise<KeyEncryptionKey> {
  const source = parseKekSource(kek)
  if ('problem' in source || source.kind === 'key' || source.kind === 'file')
    throw new Error('no key in a service')
  const service = await openKeyService(source, { gcpEndpoint: undefined, transit: noTransit, ...settings })
  return createRemoteKek(source.id, service, { ...patience, ...more })
}

async function wrap(kek: KeyEncryptionKey, bytes: Uint8Array): Promise<DataKey> {
  const id = randomUUID()
  const workspaceId = randomUUID()
  return { id, workspaceId, version: 1, kekId: kek.id, wrapped: await kek.wrap(workspaceId, id, bytes) }
}

function stubEnvironment(environment: Record<string, string>): void {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
  onTestFinished(() => void vi.unstubAllEnvs())
}

function trustAzureCertificate(): void {
  const trusted = tls.getCACertificates('default')
  tls.setDefaultCACertificates([...trusted, azureCertificate.cert])
  onTestFinished(() => tls.setDefaultCACertificates(trusted))
}
