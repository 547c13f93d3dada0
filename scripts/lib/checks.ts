import { program, type Step } from './steps.ts'

/** Everything that can be said about the code without running it. */
export const checks: Step[] = [
  program('types', 'typescript/bin/tsc', ['-b', '--pretty', process.stdout.isTTY ? 'true' : 'false']),
  program('format and lint', '@biomejs/biome/bin/biome', ['ci', '--colors=off']),
  program('dead code', 'knip/bin/knip.js'),
]
