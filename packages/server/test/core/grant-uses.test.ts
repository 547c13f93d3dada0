import { expect, test } from 'vitest'
import { createGrantUses } from '../../src/core/grants/grant-uses.ts'

const now = new Date('2026-01-01T12:00:00Z')
const minutesAgo = (minutes: number) => new Date(now.getTime() - minutes * 60_000)

function noting(touch: (ids: readonly string[]) => Promise<void> = async () => undefined) {
  const written: string[][] = []
  const uses = createGrantUses({
    grants: {
      async touch(ids) {
        written.push([...ids])
        await touch(ids)
      },
    },
  })
  return { uses, written }
}

test('writes what was used with one statement, each once, and nothing when nothing was', async () => {
  const { uses, written } = noting()
  for (const id of ['one', 'two', 'one']) uses.note({ id, lastUsedAt: null }, now)
  await uses.write()
  await uses.write()
  expect(written).toEqual([['one', 'two']])
})

test('notes a use once an hour', async () => {
  const { uses, written } = noting()
  uses.note({ id: 'lately', lastUsedAt: minutesAgo(59) }, now)
  uses.note({ id: 'long ago', lastUsedAt: minutesAgo(61) }, now)
  await uses.write()
  expect(written).toEqual([['long ago']])
})

test('writes a crowd in portions', async () => {
  const { uses, written } = noting()
  for (let n = 0; n < 1201; n++) uses.note({ id: `grant-${n}`, lastUsedAt: null }, now)
  await uses.write()
  expect(written.map((ids) => ids.length)).toEqual([500, 500, 201])
})

test('what could not be written is noted with the next use', async () => {
  let fails = true
  const { uses, written } = noting(async () => {
    if (fails) throw new Error('read only')
  })
  uses.note({ id: 'one', lastUsedAt: null }, now)
  await expect(uses.write()).rejects.toThrow('read only')
  fails = false
  uses.note({ id: 'one', lastUsedAt: null }, now)
  await uses.write()
  expect(written).toEqual([['one'], ['one']])
})
