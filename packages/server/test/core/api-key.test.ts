import { describe, expect, test } from 'vitest'
import { createApiKey, hashApiKey, isApiKey } from '../../src/core/callers/api-key.ts'

describe('an API key', () => {
  const key = createApiKey().reveal()

  test('has a prefix that scanners find, 256 random bits and a checksum', () => {
    expect(key).toMatch(/^ack_[0-9A-Za-z]{49}$/)
    expect(isApiKey(key)).toBe(true)
    expect(new Set(Array.from({ length: 200 }, () => createApiKey().reveal())).size).toBe(200)
  })

  test('with a typing error in any place is recognized as mistyped', () => {
    for (let at = 0; at < key.length; at++) {
      const wrong = key.slice(0, at) + (key[at] === 'x' ? 'y' : 'x') + key.slice(at + 1)
      expect(isApiKey(wrong), `position ${at}`).toBe(false)
    }
    expect(isApiKey(key.slice(0, -1))).toBe(false)
    expect(isApiKey(`${key}x`)).toBe(false)
    expect(isApiKey('')).toBe(false)
  })

  test('is kept as a hash that is not the key', () => {
    const hash = hashApiKey(createApiKey())
    expect(hash).toHaveLength(32)
    expect(hash.toString('base64')).not.toContain(key.slice(4, 12))
  })
})
