import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

export interface Ran {
  code: number | null
  stdout: string
  stderr: string
}

/** One terminal in that directory: what lines export is there for the next ones. */
const terminal = `
[ -f .exported ] && . ./.exported
trap 'declare -px > .exported' EXIT
`

/**
 * Lines of a shell, of which the first that fails ends them. Those of a job are in no terminal: they have these variables,
 * and none of what was exported there.
 */
export async function runShell(
  lines: string,
  cwd: string,
  env: Record<string, string>,
  where: 'terminal' | 'job' = 'terminal',
): Promise<Ran> {
  const script = `${where === 'terminal' ? terminal : ''}
set -euo pipefail
${lines}
`
  const child = spawn('bash', ['-c', script], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  // With all that it started, or a vault would go on serving after the test has failed.
  const late = setTimeout(() => process.kill(-(child.pid ?? Number.NaN), 'SIGKILL'), 55_000)
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  clearTimeout(late)
  return { code, stdout, stderr }
}
