import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { describeVerdict, evidenceOf, judgePromises, type RunTest } from '../../scripts/lib/judge-promises.ts'
import { promises, type SecurityPromise } from './promises.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

test('the promises are numbered from 1 to 26, and the files that show them are there', () => {
  expect(promises.map(({ number }) => number)).toEqual(Array.from({ length: 26 }, (_, index) => index + 1))
  for (const { shownBy } of promises) {
    for (const { file } of shownBy) expect(existsSync(join(root, file)), file).toBe(true)
  }
})

describe('a promise', () => {
  const promise: SecurityPromise = {
    number: 7,
    promise: 'nothing leaks',
    shownBy: [{ file: 'a.test.ts', tests: ['a suite > begins', 'alone (once)'] }],
  }
  const ran = (fullName: string, state: RunTest['state'] = 'passed', file = 'a.test.ts') => ({
    file,
    fullName,
    state,
  })
  const all = [ran('a suite > begins so'), ran('a suite > begins otherwise'), ran('alone (once)')]
  const problems = (tests: RunTest[], given = promise) => judgePromises([given], tests)[0]?.problems

  test('is kept when all tests of its names have passed, whatever others did', () => {
    const [verdict] = judgePromises([promise], [...all, ran('another', 'failed')])
    expect(verdict).toEqual({ number: 7, promise: 'nothing leaks', tests: 3, problems: [] })
    expect(verdict && describeVerdict(verdict)).toBe('ok 7 nothing leaks (3 tests)')
  })

  test.each(['failed', 'skipped', 'pending'] as const)('is not kept when one of them has %s', (state) => {
    const tests = [...all.slice(1), ran('a suite > begins so', state)]
    expect(problems(tests)).toEqual([`${state}: a.test.ts > a suite > begins so`])
    const [verdict] = judgePromises([promise], tests)
    expect(verdict && describeVerdict(verdict)).toMatch(/^not ok 7 nothing leaks \(3 tests\)\n {4}/)
  })

  test('is not kept when a name is gone, or is that of a test in another file', () => {
    const missing = ['a.test.ts has no test that begins with "alone (once)"']
    expect(problems(all.slice(0, 2))).toEqual(missing)
    expect(problems([...all.slice(0, 2), ran('alone (once)', 'passed', 'b.test.ts')])).toEqual(missing)
  })

  test('is not kept when nothing shows it', () => {
    expect(problems(all, { ...promise, shownBy: [] })).toEqual(['no test shows it'])
  })

  test('has run what it is judged by, and no more', () => {
    const pattern = evidenceOf([promise]).get('a.test.ts')
    expect(all.every(({ fullName }) => pattern?.test(fullName))).toBe(true)
    expect(pattern?.test('another')).toBe(false)
    expect(pattern?.test('alone xonce')).toBe(false)
  })
})
