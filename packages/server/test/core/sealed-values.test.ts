import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { sealedWith, sealWithNonce, unseal } from '../../src/core/crypto/envelope.ts'
import { createKeks, createLocalKek, unwrapDataKey } from '../../src/core/crypto/key-encryption-key.ts'

interface Vector {
  workspace: string
  table: string
  column: string
  row: string
  data_key_id: string
  data_key: string
  sealed: string
}

interface Vectors {
  wrapped: {
    workspace: string
    data_key_id: string
    data_key: string
    kek: string
    kek_id: string
    wrapped: string
  }[]
  sealed: (Vector & { what: string; nonce: string; plaintext: string; additional_data: string })[]
  refused: (Vector & { why: string })[]
}

const vectors: Vectors = JSON.parse(
  readFileSync(new URL('../../../../docs/sealed-values.json', import.meta.url), 'utf8'),
)
const bytes = (hex: string) => Buffer.from(hex, 'hex')
const keyOf = (vector: Vector) => ({ id: vector.data_key_id, bytes: bytes(vector.data_key) })

describe('the test vectors of docs/sealed-values.md', () => {
  test('are there', () => {
    expect(vectors.wrapped.length).toBeGreaterThan(1)
    expect(vectors.sealed.length).toBeGreaterThan(5)
    expect(vectors.refused.length).toBeGreaterThan(5)
  })

  test.each(vectors.sealed)('open and seal: $what', (vector) => {
    const sealed = bytes(vector.sealed)
    expect(sealedWith(sealed)).toBe(vector.data_key_id)
    expect(unseal(vector, keyOf(vector), sealed).toString('utf8')).toBe(vector.plaintext)
    const made = sealWithNonce(vector, keyOf(vector), bytes(vector.nonce), Buffer.from(vector.plaintext, 'utf8'))
    expect(Buffer.from(made).toString('hex')).toBe(vector.sealed)
  })

  test.each(vectors.refused)('do not open where $why', (vector) => {
    expect(() => unseal(vector, keyOf(vector), bytes(vector.sealed))).toThrowError(
      expect.objectContaining({ code: 'sealed_value_damaged' }),
    )
  })

  test.each(vectors.wrapped)('unwrap data key $data_key_id', async (vector) => {
    const kek = createLocalKek(bytes(vector.kek))
    expect(kek.id).toBe(vector.kek_id)
    const dataKey = {
      id: vector.data_key_id,
      workspaceId: vector.workspace,
      version: 1,
      kekId: vector.kek_id,
      wrapped: bytes(vector.wrapped),
    }
    const unwrapped = await unwrapDataKey(createKeks(kek), dataKey)
    expect(Buffer.from(unwrapped).toString('hex')).toBe(vector.data_key)
    const elsewhere = { ...dataKey, workspaceId: crypto.randomUUID() }
    await expect(unwrapDataKey(createKeks(kek), elsewhere)).rejects.toMatchObject({
      code: 'key_encryption_key_wrong',
    })
  })
})
