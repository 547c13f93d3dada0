import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that take longer than others of their size, since they start processes. */
const long = [
  'packages/server/test/process/',
  'packages/cli/test/e2e/',
  'test/packages/',
  'test/docs/',
  'test/canary/',
  'test/refresh-storm/',
  'test/bench/',
]

/**
 * Begins with the files that take long, so that none of them is left for the end, when the other workers have nothing to do.
 * On a machine that has run them before, vitest knows by itself; on a new one it goes by the size of a file.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isLong = ({ moduleId }: TestSpecification) => long.some((path) => moduleId.includes(`/${path}`))
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}
