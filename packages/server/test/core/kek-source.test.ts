import { describe, expect, test } from 'vitest'
import { parseKekSource } from '../../src/core/crypto/kek-source.ts'

const key = Buffer.alloc(32, 7).toString('base64')
const arn = 'arn:aws:kms:eu-west-1:111122223333:key'
const gcp = 'projects/example/locations/europe-west1/keyRings/authconn/cryptoKeys/kek'
const version = '0123456789abcdef0123456789abcdef'

describe('where a key-encryption key is', () => {
  test('is said by itself', () => {
    const source = parseKekSource(key)
    expect(source).toMatchObject({ kind: 'key' })
    expect('key' in source && source.key.reveal()).toBe(key)
  })

  test.each([
    ['file:/var/lib/authconn/kek', { kind: 'file', path: '/var/lib/authconn/kek' }],
    ['file:C:\\authconn\\kek', { kind: 'file', path: 'C:\\authconn\\kek' }],
    [`aws-kms:${arn}/0b3f6f1e-7f5c`, { kind: 'aws-kms', arn: `${arn}/0b3f6f1e-7f5c`, region: 'eu-west-1' }],
    ['aws-kms:arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/1', { region: 'us-gov-west-1' }],
    [`gcp-kms:${gcp}`, { kind: 'gcp-kms', name: gcp }],
    [
      'azure-key-vault:https://example.vault.azure.net/keys/kek',
      { kind: 'azure-key-vault', vaultUrl: 'https://example.vault.azure.net', name: 'kek', version: undefined },
    ],
    [`azure-key-vault:https://example.managedhsm.azure.net/keys/kek/${version}`, { name: 'kek', version }],
    [
      'vault-transit:https://vault.example:8200/transit/authconn',
      { kind: 'vault-transit', origin: 'https://vault.example:8200', mount: 'transit', name: 'authconn' },
    ],
    ['vault-transit:http://127.0.0.1:8100/team/transit/authconn', { mount: 'team/transit', name: 'authconn' }],
    ['vault-transit:http://[::1]:8100/transit/authconn', { origin: 'http://[::1]:8100' }],
  ])('is read from %s', (text, expected) => {
    expect(parseKekSource(text)).toMatchObject(expected)
  })

  test.each([
    'short',
    `${key}=`,
    key.slice(1),
    'file:kek',
    'file:a',
    'aws-kms:arn:aws:kms:eu-west-1:111122223333:alias/authconn',
    'aws-kms:0b3f6f1e-7f5c-4a1e-9c51-0f6b8a3f2d10',
    `aws-kms:${arn}/`,
    `gcp-kms:${gcp}/cryptoKeyVersions/1`,
    `gcp-kms:${gcp}?x`,
    'gcp-kms:projects/../locations/l/keyRings/r/cryptoKeys/k',
    'azure-key-vault:http://example.vault.azure.net/keys/kek',
    'azure-key-vault:https://example.vault.azure.net/secrets/kek',
    'azure-key-vault:https://example.vault.azure.net/keys/kek/latest',
    'azure-key-vault:https://user:secret@example.vault.azure.net/keys/kek',
    'vault-transit:http://vault.example:8200/transit/authconn',
    'vault-transit:http://127.0.0.1.example:8200/transit/authconn',
    'vault-transit:https://vault.example/authconn',
    'vault-transit:https://vault.example/transit/authconn?version=1',
    'vault-transit:https://vault.example/transit/%2e%2e/authconn',
    'kms:something',
    'constructor:x',
  ])('is refused as %s, without repeating it', (text) => {
    const source = parseKekSource(text)
    expect(source).toEqual({ problem: expect.stringMatching(/takes|must be one of/) })
    expect(JSON.stringify(source)).not.toContain(text)
  })

  test('gives the ids that data keys are marked with, of which each is one key', () => {
    const id = (text: string) => {
      const source = parseKekSource(text)
      return 'id' in source ? source.id : undefined
    }
    expect(id(`gcp-kms:${gcp}`)).toBe(`gcp-kms:${gcp}`)
    expect(id(`aws-kms:${arn}/1`)).not.toBe(id(`aws-kms:${arn.replace('eu', 'us')}/1`))
    const vault = 'azure-key-vault:https://example.vault.azure.net/keys/kek'
    expect(id(`${vault}/${version}`)).toBe(`${vault}/${version}`)
    expect(id(vault.replace('example', 'EXAMPLE'))).toBe(vault)
  })

  test('is the same for all replicas of a multi-region key of AWS', () => {
    const one = parseKekSource(`aws-kms:${arn}/mrk-1234`)
    const other = parseKekSource(`aws-kms:${arn.replace('eu-west-1', 'us-east-1')}/mrk-1234`)
    expect(one).toMatchObject({ id: 'aws-kms:arn:aws:kms:*:111122223333:key/mrk-1234', region: 'eu-west-1' })
    expect(other).toMatchObject({ id: 'aws-kms:arn:aws:kms:*:111122223333:key/mrk-1234', region: 'us-east-1' })
  })
})
