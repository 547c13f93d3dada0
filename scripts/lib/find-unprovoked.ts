import { type ErrorCode, errorCodes } from '@authconn/shared/errors'
import type { RunTest } from './judge-promises.ts'

/** The codes of docs/errors.md that no test which passed has seen anybody report. */
export function findUnprovoked(
  tests: readonly (Pick<RunTest, 'state'> & { provoked: readonly ErrorCode[] })[],
): ErrorCode[] {
  const provoked = new Set(tests.filter(({ state }) => state === 'passed').flatMap((test) => test.provoked))
  return errorCodes.filter((code) => !provoked.has(code))
}
