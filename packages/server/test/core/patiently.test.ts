import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { patiently } from '../../src/core/patiently.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => void vi.useRealTimers())

function failing(times: number, message: string) {
  let calls = 0
  const store = {
    async read(word: string) {
      if (++calls <= times) throw new Error(message)
      return `${word} after ${calls}`
    },
  }
  const logged: unknown[] = []
  const patient = patiently(store, {
    isPassing: (error) => error instanceof Error && error.message === 'away',
    sleep: async (ms) => vi.advanceTimersByTime(ms),
    log: (error) => void logged.push(error),
  })
  return { patient, logged }
}

test('tries again what fails for a passing reason, and tells of it', async () => {
  const { patient, logged } = failing(3, 'away')
  expect(await patient.read('there')).toBe('there after 4')
  expect(logged).toHaveLength(3)
})

test('does not try again what fails for another reason', async () => {
  const { patient, logged } = failing(1, 'wrong')
  await expect(patient.read('there')).rejects.toThrow('wrong')
  expect(logged).toEqual([])
})

test('gives up after a minute', async () => {
  const { patient, logged } = failing(1000, 'away')
  await expect(patient.read('there')).rejects.toThrow('away')
  expect(logged).toHaveLength(121)
})
