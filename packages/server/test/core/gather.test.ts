import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { gather } from '../../src/core/grants/gather.ts'

const limits = { lanes: 1, most: 10, queue: 100, isOfOne: () => false }

function scripted(
  given: Partial<typeof limits> = {},
  answerAll?: (asked: readonly number[]) => Promise<number[]>,
) {
  const batches: number[][] = []
  const ask = gather<number, number>(
    async (asked) => {
      batches.push([...asked])
      if (answerAll) return answerAll(asked)
      await sleep(5)
      return asked.map((each) => each * 10)
    },
    { ...limits, ...given },
  )
  return { ask, batches }
}

test('what is there is asked together, and what comes meanwhile goes into the next batch, in order', async () => {
  const { ask, batches } = scripted()
  const first = [1, 2].map(ask)
  await sleep(2)
  const second = [3, 4, 5].map(ask)
  expect(await Promise.all([...first, ...second])).toEqual([10, 20, 30, 40, 50])
  expect(batches).toEqual([
    [1, 2],
    [3, 4, 5],
  ])
})

test('batches have a size, and lanes a number', async () => {
  const { ask, batches } = scripted({ most: 2, lanes: 2 })
  expect(await Promise.all([1, 2, 3, 4, 5, 6].map(ask))).toEqual([10, 20, 30, 40, 50, 60])
  expect(batches).toEqual([
    [1, 2],
    [3, 4],
    [5, 6],
  ])
})

test('more than can wait is refused at once, with the time to come again, and harms nobody else', async () => {
  const { ask } = scripted({ queue: 3 })
  const answers = [1, 2, 3].map(ask)
  expect(() => ask(4)).toThrow(expect.objectContaining({ code: 'overloaded', retryAfter: 1 }))
  expect(await Promise.all(answers)).toEqual([10, 20, 30])
})

test('a question that poisons its batch fails alone', async () => {
  const poisoned = async (asked: readonly number[]) => {
    if (asked.includes(13)) throw new Error('invalid input')
    return asked.map((each) => each * 10)
  }
  const { ask } = scripted({ isOfOne: () => true }, poisoned)
  const outcomes = await Promise.allSettled([1, 2, 3, 13, 5, 6, 7].map(ask))
  expect(outcomes.map(({ status }) => status)).toEqual([
    'fulfilled',
    'fulfilled',
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
    'fulfilled',
  ])
})

test('where all fail for the same reason nothing is asked again, and the next question is a new one', async () => {
  let down = true
  const { ask, batches } = scripted({}, async (asked) => {
    if (down) throw new Error('Connection terminated')
    return asked.map((each) => each * 10)
  })
  const outcomes = await Promise.allSettled(Array.from({ length: 25 }, (_, index) => index).map(ask))
  expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true)
  // Nor those that waited behind the first ten: they would only wait to fail as well.
  expect(batches).toHaveLength(1)
  down = false
  expect(await ask(4)).toBe(40)
})
