import { parseCLI, startVitest, type TestCase, type TestModule, type TestSuite } from 'vitest/node'
import { bundle } from './lib/bundle.ts'
import { checks } from './lib/checks.ts'
import { runSteps } from './lib/steps.ts'

// Arguments go to vitest: `packages/cli` or `security` for the files of such a path, `-t words` for tests by name.

const { filter, options } = parseCLI(['vitest', 'run', ...process.argv.slice(2)])
const everything = filter.length === 0

const built = await runSteps([...(everything ? checks : []), bundle('server'), bundle('cli')])
const vitest = await startVitest(filter, { ...options, watch: false })
const modules = vitest.state.getTestModules()
const unhandled = vitest.state.getUnhandledErrors().length
await vitest.close()

const tests = modules.flatMap((module) => [...module.children.allTests()])
const passed = tests.filter((test) => test.result().state === 'passed').length
const skipped = tests.filter((test) => test.result().state === 'skipped')
const failed = tests.filter((test) => test.result().state === 'failed').length + brokenSuites(modules) + unhandled

if (options.testNamePattern === undefined) for (const test of skipped) console.log(`skipped: ${describe(test)}`)
if (passed + failed === 0) console.log('no test ran')
if (!built) console.log('a check or the build failed: see the top')
if (!built || failed > 0 || passed === 0) process.exitCode = 1
console.log(`${passed} passed, ${failed} failed, ${skipped.length} skipped`)

/** Files that could not be loaded, and suites whose hooks failed: they fail although no test of theirs may have. */
function brokenSuites(testModules: TestModule[]): number {
  const suites: (TestModule | TestSuite)[] = testModules.flatMap((module) => [
    module,
    ...module.children.allSuites(),
  ])
  return suites.filter((suite) => suite.errors().length > 0).length
}

function describe(test: TestCase): string {
  const result = test.result()
  const { mode } = test.options
  const why = mode === 'run' ? 'its suite failed before it' : `marked ${mode} in the code`
  const reason = (result.state === 'skipped' && result.note) || why
  return `${test.module.relativeModuleId} > ${test.fullName} (${reason})`
}
