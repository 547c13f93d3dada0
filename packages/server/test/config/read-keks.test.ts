import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load-config.ts'
import { temporaryDirectory } from '../support/vault-process.ts'

const keys = [1, 2, 3].map((fill) => Buffer.alloc(32, fill).toString('base64'))
const transit = 'vault-transit:https://vault.example:8200/transit/authconn'
const gcp = 'gcp-kms:projects/p/locations/l/keyRings/r/cryptoKeys/k'

function problemOf(environment: Record<string, string>): string {
  try {
    loadConfig(environment)
  } catch (error) {
    expect(error).toMatchObject({ code: 'setting_invalid' })
    return String(error)
  }
  return 'none'
}

const shown = (environment: Record<string, string>) =>
  loadConfig(environment).keks?.map((source) => (source.kind === 'key' ? source.key.reveal() : source.kind))

describe('the key-encryption keys', () => {
  test('are listed with the current one first', () => {
    expect(shown({ AUTHCONN_KEK: keys.join(' ') })).toEqual(keys)
    expect(shown({ AUTHCONN_KEK: `\n${keys.join(',\n  ')}\n` })).toEqual(keys)
    expect(shown({ AUTHCONN_KEK: `${gcp} file:/var/lib/authconn/kek` })).toEqual(['gcp-kms', 'file'])
    expect(shown({})).toBeUndefined()
  })

  test('come from a mounted file as well, one a line', () => {
    const file = join(temporaryDirectory(), 'keks')
    writeFileSync(file, `${keys[0]}\n${keys[1]}\n`)
    expect(shown({ AUTHCONN_KEK_FILE: file })).toEqual(keys.slice(0, 2))
  })

  test('are told apart in a message, and not repeated', () => {
    const problem = problemOf({ AUTHCONN_KEK: `${keys[0]} ${keys[1]?.slice(1)} ${keys[2]}` })
    expect(problem).toContain('AUTHCONN_KEK must hold key-encryption keys: entry 2 of 3 must be one of 32 bytes')
    for (const key of keys) expect(problem).not.toContain(key.slice(1))
    const alias = 'aws-kms:arn:aws:kms:eu-west-1:111122223333:alias/authconn'
    expect(problemOf({ AUTHCONN_KEK: alias })).toContain('its entry aws-kms: takes the ARN of a key')
    expect(problemOf({ AUTHCONN_KEK: ' , ' })).toContain('AUTHCONN_KEK must hold a key')
  })
})

describe('what key services need besides', () => {
  test('is taken for the key that uses it', () => {
    const file = join(temporaryDirectory(), 'token')
    writeFileSync(file, 'hvs.token\n')
    expect(loadConfig({ AUTHCONN_KEK: transit }).keyServices.transit).toEqual({})
    const given = (more: Record<string, string>) =>
      loadConfig({ AUTHCONN_KEK: transit, ...more }).keyServices.transit
    expect(given({ AUTHCONN_TRANSIT_TOKEN: 'hvs.token' }).token?.reveal()).toBe('hvs.token')
    expect(given({ AUTHCONN_TRANSIT_TOKEN_FILE: file })).toEqual({ tokenFile: file })
    expect(given({ AUTHCONN_TRANSIT_NAMESPACE: 'team/a' })).toEqual({ namespace: 'team/a' })
    expect(given({ AUTHCONN_TRANSIT_LOGIN: 'kubernetes:authconn' }).login).toEqual({
      mount: 'kubernetes',
      role: 'authconn',
      jwtFile: '/var/run/secrets/kubernetes.io/serviceaccount/token',
    })
    expect(
      given({ AUTHCONN_TRANSIT_LOGIN: 'jwt/ci:authconn', AUTHCONN_TRANSIT_JWT_FILE: '/run/jwt' }).login,
    ).toEqual({ mount: 'jwt/ci', role: 'authconn', jwtFile: '/run/jwt' })
    const endpoint = 'https://cloudkms-example.p.googleapis.com'
    const { keyServices } = loadConfig({ AUTHCONN_KEK: gcp, AUTHCONN_GCP_KMS_ENDPOINT: `${endpoint}/` })
    expect(keyServices.gcpEndpoint).toBe(endpoint)
  })

  test.each([
    ['AUTHCONN_TRANSIT_TOKEN', gcp],
    ['AUTHCONN_TRANSIT_LOGIN', ''],
    ['AUTHCONN_TRANSIT_NAMESPACE', ''],
    ['AUTHCONN_GCP_KMS_ENDPOINT', transit],
  ])('%s is refused where nothing would use it', (name, kek) => {
    const value =
      { AUTHCONN_TRANSIT_LOGIN: 'kubernetes:a', AUTHCONN_GCP_KMS_ENDPOINT: 'https://a.example' }[name] ?? 'x'
    expect(problemOf({ AUTHCONN_KEK: kek, [name]: value })).toMatch(
      new RegExp(`${name} is set, but AUTHCONN_KEK names no`),
    )
  })

  test.each([
    ['AUTHCONN_TRANSIT_TOKEN', 'with a space', transit],
    ['AUTHCONN_TRANSIT_TOKEN_FILE', '/nowhere/token', transit],
    ['AUTHCONN_TRANSIT_LOGIN', 'kubernetes', transit],
    ['AUTHCONN_TRANSIT_JWT_FILE', '/run/jwt', transit],
    ['AUTHCONN_TRANSIT_NAMESPACE', 'a b', transit],
    ['AUTHCONN_GCP_KMS_ENDPOINT', 'http://cloudkms.example', gcp],
    ['AUTHCONN_GCP_KMS_ENDPOINT', 'https://cloudkms.example/v1', gcp],
  ])('%s=%s is refused by name', (name, value, kek) => {
    expect(problemOf({ AUTHCONN_KEK: kek, [name]: value })).toContain(`${name} `)
  })

  test('is one of the ways to show who the vault is, and not two', () => {
    const both = { AUTHCONN_TRANSIT_TOKEN: 'hvs.token', AUTHCONN_TRANSIT_LOGIN: 'kubernetes:authconn' }
    expect(problemOf({ AUTHCONN_KEK: transit, ...both })).toContain('AUTHCONN_TRANSIT_TOKEN are both set')
  })
})
