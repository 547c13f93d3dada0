#!/usr/bin/env node
import { version } from './version.ts'

const argv = process.argv.slice(2)

// Asked by scripts and package managers, often: answered before anything else is loaded.
if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
  process.stdout.write(`${version()}\n`)
} else {
  const { runProcess } = await import('./run-process.ts')
  await runProcess(argv)
}
