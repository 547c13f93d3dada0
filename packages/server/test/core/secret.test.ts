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
