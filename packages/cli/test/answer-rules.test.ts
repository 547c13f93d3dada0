import { ConnectionName, NewConnection } from '@authconn/shared'
import { describe, expect, test } from 'vitest'
import {
  clientId,
  clientSecret,
  connectionName,
  isConnectionName,
  providerUrl,
} from '../src/input/answer-rules.ts'

describe('an answer', () => {
  test.each(['https://accounts.google.com', 'http://127.0.0.1:9000/x', 'http://localhost:1', 'http://[::1]:1'])(
    '%s is a provider URL',
    (url) => {
      expect(providerUrl(url)).toBe(true)
    },
  )

  test.each([
    ['accounts.google.com', 'whole URL'],
    ['not a url', 'whole URL'],
    ['https://id.example/a b', 'whole URL'],
    [`https://id.example/${'x'.repeat(2048)}`, 'whole URL'],
    ['http://id.example', 'https'],
    ['http://127.0.0.1.example', 'https'],
    ['ftp://id.example', 'https'],
    ['localhost:8080', 'https'],
  ])('%s is none, and why is said', (url, why) => {
    expect(providerUrl(url)).toContain(why)
  })

  test.each(['a', 'google-oauth', 'a'.repeat(63), '', 'A', '-a', 'a-', 'a_b', 'a'.repeat(64), 'a\n'])(
    '%j is a name if it is one to the vault',
    (name) => {
      const taken = vaultTakes(ConnectionName, name)
      expect(isConnectionName(name)).toBe(taken)
      expect(connectionName(name) === true).toBe(taken)
    },
  )

  test.each(['x', 'x y', '', 'ä', 'x\t', 'x'.repeat(1025)])(
    '%j is a client id if it is one to the vault',
    (id) => {
      expect(clientId(id) === true).toBe(vaultTakes(NewConnection.properties.client_id, id))
    },
  )

  test.each(['x', ' ä ', '', 'x\t', 'x\u0085', 'x'.repeat(4097)])(
    '%j is a client secret if it is one to the vault',
    (secret) => {
      expect(clientSecret(secret) === true).toBe(vaultTakes(NewConnection.properties.client_secret, secret))
    },
  )
})

function vaultTakes(schema: object, answer: string): boolean {
  const { pattern, maxLength }: { pattern: string; maxLength?: number } = JSON.parse(JSON.stringify(schema))
  return new RegExp(pattern, 'u').test(answer) && answer.length <= (maxLength ?? answer.length)
}
