import { expect, test } from 'vitest'
import { createRotationBacklog } from '../../src/core/crypto/rotation-backlog.ts'

function counting(ms: number) {
  const state = { now: 0, counts: 0, isAway: false }
  const read = createRotationBacklog({
    kekId: 'current',
    clock: () => state.now,
    keys: { countWrapped: async () => 2 },
    values: {
      async countFormer() {
        state.counts++
        state.now += ms
        if (state.isAway) throw new Error('the database is away')
        return 5
      },
    },
  })
  return { state, read }
}

test('is counted once a minute, however often it is asked for and by however many', async () => {
  const { state, read } = counting(10)
  expect(await read()).toEqual({ keysToRewrap: 2, valuesToReseal: 5 })
  await Promise.all([read(), read(), read()])
  state.now = 59_999
  await read()
  expect(state.counts).toBe(1)
  state.now = 60_001
  await Promise.all([read(), read()])
  expect(state.counts).toBe(2)
})

test('is counted more seldom where it takes long: a hundredth of the time', async () => {
  const { state, read } = counting(3_000)
  await read()
  state.now = 299_999
  await read()
  expect(state.counts).toBe(1)
  state.now = 300_001
  await read()
  expect(state.counts).toBe(2)
})

test('is counted again at the next question when it failed', async () => {
  const { state, read } = counting(10)
  state.isAway = true
  await expect(read()).rejects.toThrow('the database is away')
  state.isAway = false
  expect(await read()).toMatchObject({ valuesToReseal: 5 })
})
