import { randomBytes, randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { checkKeks } from '../../src/adapters/open-kek.ts'
import {
  createDataKey,
  createKeks,
  createLocalKek,
  type KeyEncryptionKeys,
  unwrapDataKey,
} from '../../src/core/crypto/key-encryption-key.ts'
import { createKeyring } from '../../src/core/crypto/keyring.ts'
import { places } from '../../src/core/crypto/places.ts'
import type { DataKey, DataKeyStore } from '../../src/core/ports.ts'
import { Secret } from '../../src/core/secret.ts'
import { silentLog } from '../support/stores.ts'

const previous = createLocalKek(randomBytes(32))
const current = createLocalKek(randomBytes(32))
const before = createKeks(previous)
const both = createKeks(current, [previous])
const after = createKeks(current)

test('what is new is wrapped by the current key, and what was wrapped before opens by its own', async () => {
  const old = await createDataKey(before, randomUUID(), 1)
  const young = await createDataKey(both, randomUUID(), 1)
  expect([old.kekId, young.kekId]).toEqual([previous.id, current.id])
  expect(await unwrapDataKey(both, old)).toEqual(await unwrapDataKey(before, old))
  expect(await unwrapDataKey(both, young)).toEqual(await unwrapDataKey(after, young))
})

test('a key that was not given is named when something needs it', async () => {
  const old = await createDataKey(before, randomUUID(), 1)
  for (const work of [unwrapDataKey(after, old), checkKeks(after, [old])]) {
    const error = await work.catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'key_encryption_key_wrong' })
    expect(error).toHaveProperty('message', expect.stringContaining(previous.id))
    expect(error).toHaveProperty('message', expect.stringContaining(current.id))
  }
})

test('the check at start looks at every data key it is given, not at the first one', async () => {
  const young = await createDataKey(both, randomUUID(), 1)
  const old = await createDataKey(before, randomUUID(), 1)
  await checkKeks(both, [young, old])
  await expect(checkKeks(after, [young, old])).rejects.toMatchObject({ code: 'key_encryption_key_wrong' })
  const damaged = { ...old, wrapped: Buffer.from(old.wrapped).map((byte, at) => (at === 20 ? byte ^ 1 : byte)) }
  await expect(checkKeks(both, [young, damaged])).rejects.toMatchObject({ code: 'key_encryption_key_wrong' })
})

test('a keyring opens what was sealed under a previous key as long as that key is given', async () => {
  const workspaceId = randomUUID()
  const dataKey = await createDataKey(before, workspaceId, 1)
  const place = places.accessToken({ id: randomUUID(), workspaceId })
  const keyringOf = (keks: KeyEncryptionKeys) =>
    createKeyring({ dataKeys: storeOf(dataKey), keks, log: silentLog })
  const sealed = await keyringOf(before).seal(place, new Secret('token'))
  const opened = await keyringOf(both).open(place, sealed)
  expect(opened.reveal()).toBe('token')
  await expect(keyringOf(after).open(place, sealed)).rejects.toMatchObject({ code: 'key_encryption_key_wrong' })
})

function storeOf(dataKey: DataKey): DataKeyStore {
  return {
    getCurrent: async () => dataKey,
    find: async (id) => (id === dataKey.id ? dataKey : undefined),
    reserve: async () => true,
    insert: async () => false,
  }
}
