import type { SecurityPromise } from '../../test/security/promises.ts'

/** A test that ran, or did not. */
export interface RunTest {
  file: string
  fullName: string
  state: 'passed' | 'failed' | 'skipped' | 'pending'
}

export interface Verdict {
  number: number
  promise: string
  tests: number
  /** Empty: the promise is kept. */
  problems: string[]
}

/** How the promises stand after a run: each that names a test which is not there, or did not pass, is not kept. */
export function judgePromises(promises: readonly SecurityPromise[], tests: readonly RunTest[]): Verdict[] {
  return promises.map(({ number, promise, shownBy }) => {
    const problems = shownBy.length === 0 ? ['no test shows it'] : []
    const seen = new Set<RunTest>()
    for (const { file, tests: beginnings } of shownBy) {
      for (const beginning of beginnings) {
        const found = tests.filter((test) => test.file === file && test.fullName.startsWith(beginning))
        if (found.length === 0) problems.push(`${file} has no test that begins with "${beginning}"`)
        for (const test of found) seen.add(test)
      }
    }
    for (const { file, fullName, state } of seen) {
      if (state !== 'passed') problems.push(`${state}: ${file} > ${fullName}`)
    }
    return { number, promise, tests: seen.size, problems }
  })
}

/** A line for each promise, and below it what is wrong. */
export function describeVerdict({ number, promise, tests, problems }: Verdict): string {
  const line = `${problems.length === 0 ? 'ok' : 'not ok'} ${number} ${promise} (${tests} test${tests === 1 ? '' : 's'})`
  return [line, ...problems.map((problem) => `    ${problem}`)].join('\n')
}

/** What to run for them: by file, a pattern for the full names of its tests. */
export function evidenceOf(promises: readonly SecurityPromise[]): Map<string, RegExp> {
  const byFile = Map.groupBy(
    promises.flatMap(({ shownBy }) => shownBy),
    ({ file }) => file,
  )
  return new Map(
    [...byFile].map(([file, evidence]) => {
      const beginnings = evidence.flatMap(({ tests }) => tests).map((beginning) => escapeForPattern(beginning))
      return [file, new RegExp(`^(?:${beginnings.join('|')})`)]
    }),
  )
}

function escapeForPattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
