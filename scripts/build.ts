import { bundle } from './lib/bundle.ts'
import { program, runSteps } from './lib/steps.ts'

const libraries = program('libraries', 'typescript/bin/tsc', ['-b', 'packages/shared', 'packages/sdk'])

if (!(await runSteps([libraries, bundle('server'), bundle('cli')]))) process.exitCode = 1
