import { resolve } from 'node:path'
import { bundle } from './lib/bundle.ts'
import { deploy } from './lib/deploy.ts'
import { root, runSteps } from './lib/steps.ts'

const [target] = process.argv.slice(2)
if (target === undefined) {
  console.error('usage: node scripts/run.mjs deploy DIRECTORY')
  process.exit(2)
}
const directory = resolve(process.env.INIT_CWD ?? root, target)

const done = (await runSteps([bundle('server')])) && (await runSteps([deploy(directory)]))
if (!done) process.exitCode = 1
