import { randomBytes } from 'node:crypto'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { openAwsKms } from '../../src/adapters/key-services/aws-kms.ts'
import { openGcpKms } from '../../src/adapters/key-services/gcp-kms.ts'
import type { KeyService } from '../../src/adapters/key-services/key-service.ts'
import { awsArn, fakeAwsKms } from './support/fake-aws-kms.ts'
import { fakeGcpKms, gcpName } from './support/fake-gcp-kms.ts'

const binding = { workspace: 'workspace-1', dataKey: 'data-key-1' }
const bytes = randomBytes(32)
const base64 = bytes.toString('base64')
const signal = AbortSignal.timeout(30_000)

async function wrapAndUnwrap(service: KeyService): Promise<string> {
  const wrapped = await service.wrap(bytes, binding, signal)
  expect(Buffer.from(await service.unwrap(wrapped, binding, signal))).toEqual(bytes)
  return Buffer.from(wrapped).toString('base64')
}

function stub(environment: Record<string, string>): void {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
  onTestFinished(() => void vi.unstubAllEnvs())
}

describe('AWS KMS', () => {
  test('is asked by key and encryption context, which its log and its policies see', async () => {
    const service = await fakeAwsKms()
    stub(service.environment)
    const wrapped = await wrapAndUnwrap(openAwsKms({ kind: 'aws-kms', id: '', arn: awsArn, region: 'eu-west-1' }))
    const EncryptionContext = { 'authconn:workspace': 'workspace-1', 'authconn:data-key': 'data-key-1' }
    expect(service.calls.map(({ body }) => body)).toEqual([
      { KeyId: awsArn, Plaintext: base64, EncryptionContext },
      { KeyId: awsArn, CiphertextBlob: wrapped, EncryptionContext },
    ])
  })

  test('is asked in the region of the key, whatever the region of the machine', async () => {
    const arn = awsArn.replace('eu-west-1', 'us-gov-west-1').replace('aws:', 'aws-us-gov:')
    const service = await fakeAwsKms(arn)
    stub({ ...service.environment, AWS_REGION: 'ap-south-1' })
    await wrapAndUnwrap(openAwsKms({ kind: 'aws-kms', id: '', arn, region: 'us-gov-west-1' }))
    expect(service.calls).toHaveLength(2)
  })
})

describe('Google Cloud KMS', () => {
  test('is asked by key with additional authenticated data, and one token serves many calls', async () => {
    const service = await fakeGcpKms()
    stub(service.environment)
    const kms = openGcpKms({ kind: 'gcp-kms', id: '', name: gcpName }, service.endpoint)
    const ciphertext = await wrapAndUnwrap(kms)
    const data = JSON.stringify(['authconn', 'data-key', 'workspace-1', 'data-key-1'])
    const additionalAuthenticatedData = Buffer.from(data).toString('base64')
    expect(service.calls.map(({ body }) => body)).toEqual([
      { plaintext: base64, additionalAuthenticatedData },
      { ciphertext, additionalAuthenticatedData },
    ])
    const tokens = () => service.metadata.calls.filter(({ path }) => path.includes('/default/token')).length
    expect(tokens()).toBe(1)
    await wrapAndUnwrap(kms)
    expect(tokens()).toBe(1)
  })
})
