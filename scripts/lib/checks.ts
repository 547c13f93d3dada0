import { program, type Step } from './steps.ts'
import { knownVulnerabilities, lockfile } from './supply-chain.ts'

/** Everything that can be said about the code, and about that of others in it, without running it. */
export const checks: Step[] = [
  program('types', 'typescript/bin/tsc', ['-b', '--pretty', process.stdout.isTTY ? 'true' : 'false']),
  program('format and lint', '@biomejs/biome/bin/biome', ['ci', '--colors=off']),
  program('dead code', 'knip/bin/knip.js'),
  lockfile,
  knownVulnerabilities,
]
