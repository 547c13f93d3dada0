import { randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type Place, seal, sealedWith, unseal } from '../../src/core/crypto/envelope.ts'

describe('a sealed value', () => {
  const key = { id: randomUUID(), bytes: randomBytes(32) }
  const place: Place = { workspace: randomUUID(), table: 'grants', column: 'access_token', row: randomUUID() }
  const plaintext = Buffer.from('ya29.secret')
  const sealed = seal(place, key, plaintext)

  test('opens in its place with its key', () => {
    expect(unseal(place, key, sealed)).toEqual(plaintext)
    expect(sealedWith(sealed)).toBe(key.id)
    expect(unseal(place, key, seal(place, key, Buffer.alloc(0)))).toEqual(Buffer.alloc(0))
  })

  test('does not hold its plaintext and differs each time', () => {
    expect(Buffer.from(sealed).includes(plaintext)).toBe(false)
    expect(seal(place, key, plaintext)).not.toEqual(sealed)
  })

  test('does not open when any one of its bits is flipped', () => {
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const flipped = Buffer.from(sealed)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(() => unseal(place, key, flipped), `bit ${bit}`).toThrowError(
        expect.objectContaining({ code: 'sealed_value_damaged' }),
      )
    }
  })

  test('does not open when it is cut short', () => {
    for (let length = 0; length < sealed.length; length++) {
      expect(() => unseal(place, key, sealed.subarray(0, length))).toThrowError(
        expect.objectContaining({ code: 'sealed_value_damaged' }),
      )
    }
  })

  test.each(['workspace', 'table', 'column', 'row'] as const)('does not open in another %s', (part) => {
    expect(() => unseal({ ...place, [part]: 'elsewhere' }, key, sealed)).toThrowError(
      expect.objectContaining({ code: 'sealed_value_damaged' }),
    )
  })

  test('does not open with another key of the same id', () => {
    expect(() => unseal(place, { id: key.id, bytes: randomBytes(32) }, sealed)).toThrowError(
      expect.objectContaining({ code: 'sealed_value_damaged' }),
    )
  })
})
