import { randomBytes, randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { sealedWith } from '../../src/core/crypto/envelope.ts'
import { createDataKey, createKeks, createLocalKek } from '../../src/core/crypto/key-encryption-key.ts'
import { createKeyring } from '../../src/core/crypto/keyring.ts'
import { places } from '../../src/core/crypto/places.ts'
import { createResealValues } from '../../src/core/crypto/reseal-values.ts'
import type { SealedStore, SealedValue } from '../../src/core/key-port.ts'
import { Secret } from '../../src/core/secret.ts'
import { silentLog } from '../support/stores.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => void vi.useRealTimers())

const keks = createKeks(createLocalKek(randomBytes(32)))
const workspaceId = randomUUID()

/** Access tokens in memory, under two data keys of which the newer was made `madeAgo` seconds ago. */
async function makeValues(count: number, madeAgo: number) {
  const [former, newest] = await Promise.all([1, 2].map((version) => createDataKey(keks, workspaceId, version)))
  if (!former || !newest) throw new Error('two data keys')
  const keyringOf = (current: typeof former) =>
    createKeyring({
      keks,
      log: silentLog,
      dataKeys: {
        getCurrent: async () => current,
        find: async (id) => [former, newest].find((key) => key.id === id),
        reserve: async () => true,
        insert: async () => false,
      },
    })
  const late = keyringOf(former)
  const write = async (row: string): Promise<SealedValue> => ({
    row,
    workspaceId,
    sealed: await late.seal(places.accessToken({ id: row, workspaceId }), new Secret(`token of ${row}`)),
  })
  const values = new Map<string, SealedValue>()
  for (let n = 0; n < count; n++) {
    const value = await write(randomUUID())
    values.set(value.row, value)
  }
  const isFormer = ({ sealed }: SealedValue) => sealedWith(sealed) === former.id
  const store: Pick<SealedStore, 'listFormerKeys' | 'listSealedWith' | 'replace'> = {
    async listFormerKeys(column) {
      const isUsed = column.column === 'access_token' && [...values.values()].some(isFormer)
      return isUsed ? [{ dataKey: former, formerFor: madeAgo + performance.now() / 1000 }] : []
    },
    async listSealedWith(_column, _key, { after, upTo, limit }) {
      return [...values.values()]
        .filter((value) => isFormer(value) && value.row > after && (upTo === undefined || value.row <= upTo))
        .sort((a, b) => (a.row < b.row ? -1 : 1))
        .slice(0, limit)
    },
    async replace(_column, changes) {
      for (const { row, to } of changes) values.set(row, { row, workspaceId, sealed: to })
      return changes.length
    },
  }
  const slept: number[] = []
  const resealWith = (given: Partial<typeof store> = {}, onSleep = async () => {}) =>
    createResealValues({
      values: { ...store, ...given },
      keyring: keyringOf(newest),
      settleSeconds: 15,
      async sleep(ms) {
        slept.push(ms)
        vi.advanceTimersByTime(ms)
        await onSleep()
      },
    })(() => {})
  return { values, store, write, resealWith, slept, isFormer }
}

test('seals all pages again, wherever it begins', async () => {
  const { values, resealWith, isFormer, slept } = await makeValues(1201, 3600)
  expect(await resealWith()).toEqual({ resealed: 1201, left: 0, damaged: [] })
  expect([...values.values()].filter(isFormer)).toEqual([])
  expect(slept).toEqual([])
})

test('looks again for what others wrote with a former data key in the seconds after its successor was made', async () => {
  const { values, resealWith, write, isFormer, slept } = await makeValues(10, 4)
  const lateRow = randomUUID()
  const lateWrite = async () => void values.set(lateRow, await write(lateRow))
  expect(await resealWith({}, lateWrite)).toEqual({ resealed: 11, left: 0, damaged: [] })
  expect(slept).toHaveLength(1)
  expect(slept[0]).toBeCloseTo(11_000, -2)
  expect([...values.values()].filter(isFormer)).toEqual([])
})

test('does not wait for ever for rows that somebody keeps locked, and says how many are left', async () => {
  const { resealWith, slept } = await makeValues(3, 3600)
  const locked = async () => 0
  expect(await resealWith({ replace: locked })).toEqual({ resealed: 0, left: 3, damaged: [] })
  expect(slept.length).toBeGreaterThan(10)
  expect(slept.length).toBeLessThan(60)
})

test('does not go on for ever after a vault that keeps writing with a former data key', async () => {
  const { values, store, resealWith, write } = await makeValues(3, 3600)
  const { left } = await resealWith({
    async replace(column, changes) {
      const count = await store.replace(column, changes)
      const row = randomUUID()
      values.set(row, await write(row))
      return count
    },
  })
  expect(left).toBeGreaterThan(0)
})
