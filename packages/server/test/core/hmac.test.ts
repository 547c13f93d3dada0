import { createHmac, createSecretKey, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createHmacOf } from '../../src/core/crypto/hmac.ts'

describe('a MAC by two hashes', () => {
  test("is Node's own HMAC-SHA-256, whatever the key, the bytes before and the text", () => {
    const texts = fc.oneof(
      fc.constantFrom('\ud800', 'a\udfffb'),
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.string({ maxLength: 30 }),
    )
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 64 }),
        fc.array(fc.tuple(fc.uint8Array({ maxLength: 80 }), texts), { minLength: 1, maxLength: 5 }),
        (keyBytes, messages) => {
          const key = createSecretKey(keyBytes)
          const hmacOf = createHmacOf(key)
          // One after the other: nothing of a longer message before is left in a shorter one.
          for (const [before, text] of messages) {
            const expected = createHmac('sha256', key).update(before).update(text).digest()
            expect(hmacOf(before, text).equals(expected)).toBe(true)
          }
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('takes texts of any length', () => {
    const key = createSecretKey(randomBytes(32))
    const hmacOf = createHmacOf(key)
    for (const length of [10_000, 10, 100_000, 1_000]) {
      const text = '🗝'.repeat(length)
      const before = randomBytes(32)
      expect(hmacOf(before, text)).toEqual(createHmac('sha256', key).update(before).update(text).digest())
    }
  })

  test('refuses a key longer than a block, which would have to be hashed first', () => {
    expect(() => createHmacOf(createSecretKey(randomBytes(65)))).toThrow(TypeError)
  })
})
