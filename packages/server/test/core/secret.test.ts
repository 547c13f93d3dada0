import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { Secret } from '../../src/core/secret.ts'
import { describeError } from '../../src/logger.ts'

describe('a Secret', () => {
  const canary = 'canary-8f14e45f'
  const secret = new Secret(canary)

  test.each([
    ['JSON', () => JSON.stringify({ secret, list: [secret] })],
    ['a template', () => `${secret}`],
    ['concatenation', () => `${['a', secret].join()}`],
    ['inspect', () => inspect({ secret }, { depth: 10, showHidden: true })],
    ['format', () => format('%s %o %j', secret, secret, secret)],
    ['a spread', () => JSON.stringify({ ...secret })],
    ['its keys', () => JSON.stringify([Reflect.ownKeys(secret), Object.entries(secret)])],
  ])('does not show in %s', (_where, render) => {
    expect(render()).not.toContain(canary)
  })

  test('is given by reveal alone', () => {
    expect(secret.reveal()).toBe(canary)
  })
})

describe('an error in the log', () => {
  test('of several lines shows its message once, and not again where its stack begins', () => {
    const { stack } = describeError(new Error('first\n    canary of the second line\nthird')) as { stack: string }
    expect(stack).toMatch(/^ +at /)
    expect(stack).not.toContain('canary')
  })

  test('shows nothing but name, code, message, stack and causes', () => {
    const cause = Object.assign(new Error('duplicate key'), {
      code: '23505',
      detail: 'Key (token)=(canary)',
      body: 'canary',
    })
    const error = Object.assign(new Error('could not store', { cause }), { parameters: ['canary'] })
    const described = JSON.stringify(describeError(error))
    expect(described).not.toContain('canary')
    expect(describeError(error)).toMatchObject({ message: 'could not store', cause: { code: '23505' } })
  })
})

test('nothing in the vault takes or gives what is secret as plain text', () => {
  const source = join(import.meta.dirname, '../../src')
  const plain =
    /\b(accessToken|refreshToken|clientSecret|codeVerifier|apiKey|password|passphrase|privateKey)\??: string/g
  const found = globSync('**/*.ts', { cwd: source }).flatMap((file) =>
    [...readFileSync(join(source, file), 'utf8').matchAll(plain)].map(([text]) => `${file}: ${text}`),
  )
  expect(found.sort()).toEqual([
    // An answer that is being parsed, and the shapes of what is sealed.
    'adapters/oauth/token-answer.ts: accessToken: string',
    'core/connections/client-credential.ts: privateKey: string',
    'core/connections/start-authorization.ts: codeVerifier: string',
  ])
})
