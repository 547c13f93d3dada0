#!/usr/bin/env node
import { version } from './version.ts'

const argv = process.argv.slice(2)

// Asked by scripts and package managers, often: answered before anything else is loaded.
if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
  process.stdout.write(`${version()}\n`)
} else if (argv[0] === '__complete') {
  const { printCandidates } = await import('./completion/print-candidates.ts')
  await printCandidates(argv.slice(2))
} else {
  const { runProcess } = await import('./run-process.ts')
  await runProcess(argv)
}
