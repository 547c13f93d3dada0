import { resolve } from 'node:path'
import { createVitest, parseCLI, startVitest, type TestCase, type TestModule, type TestSuite } from 'vitest/node'
import { promises } from '../test/security/promises.ts'
import { bundle } from './lib/bundle.ts'
import { checks } from './lib/checks.ts'
import { findUnprovoked } from './lib/find-unprovoked.ts'
import { describeVerdict, evidenceOf, judgePromises } from './lib/judge-promises.ts'
import { runSteps } from './lib/steps.ts'

// Arguments go to vitest: `packages/cli` for the files of such a path, `-t words` for tests by name. `security` alone
// stands for the tests by which docs/security.md is held, and ends with a line for each of its promises.

const { filter, options } = parseCLI(['vitest', 'run', ...process.argv.slice(2)])
const everything = filter.length === 0
const isSecurity = filter.length === 1 && filter[0] === 'security'

const built = await runSteps([...(everything ? checks : []), bundle('server'), bundle('cli')])
const vitest = isSecurity ? await runEvidence() : await startVitest(filter, { ...options, watch: false })
const modules = vitest.state.getTestModules()
const unhandled = vitest.state.getUnhandledErrors().length
await vitest.close()

const tests = modules.flatMap((module) => [...module.children.allTests()])
const passed = tests.filter((test) => test.result().state === 'passed').length
const skipped = tests.filter((test) => test.result().state === 'skipped')
const failed = tests.filter((test) => test.result().state === 'failed').length + brokenSuites(modules) + unhandled

const judged = isSecurity || (everything && options.testNamePattern === undefined)
const verdicts = judged ? judgePromises(promises, tests.map(toRunTest)) : []
const unprovoked =
  judged && !isSecurity
    ? findUnprovoked(tests.map((test) => ({ ...toRunTest(test), provoked: test.meta().provoked ?? [] })))
    : []
const broken = verdicts.filter(({ problems }) => problems.length > 0).length

if (options.testNamePattern === undefined && !isSecurity)
  for (const test of skipped) console.log(`skipped: ${describe(test)}`)
if (passed + failed === 0) console.log('no test ran')
if (!built) console.log('a check or the build failed: see the top')
for (const verdict of verdicts) console.log(describeVerdict(verdict))
for (const code of unprovoked)
  console.log(`not provoked: ${code}. No test has had it told to anybody: see "A new error" in CONTRIBUTING.md`)
if (broken > 0) console.log(`${broken} promises of docs/security.md are not held`)
if (!built || broken > 0 || unprovoked.length > 0 || failed > 0 || passed === 0) process.exitCode = 1
// What `security` leaves out of a file is not its business.
console.log(`${passed} passed, ${failed} failed${isSecurity ? '' : `, ${skipped.length} skipped`}`)

/** Runs of each file only what shows a promise. */
async function runEvidence() {
  const runner = await createVitest('test', { ...options, watch: false })
  await runner.standalone()
  const project = runner.getRootProject()
  const specifications = [...evidenceOf(promises)].map(([file, testNamePattern]) =>
    project.createSpecification(resolve(file), { testNamePattern }),
  )
  await runner.runTestSpecifications(specifications, true)
  return runner
}

function toRunTest(test: TestCase) {
  return { file: test.module.relativeModuleId, fullName: test.fullName, state: test.result().state }
}

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
