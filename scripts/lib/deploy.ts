import { readdir } from 'node:fs/promises'
import { pnpm } from './pnpm.mjs'
import { root, type Step, StepError } from './steps.ts'

/**
 * The vault as it is shipped, into an empty or new directory: its bundle, which must be built, and its production
 * dependencies in the versions of the lockfile.
 */
export function deploy(directory: string): Step {
  return { name: `deploy to ${directory}`, run: () => deployWithPnpm(directory) }
}

async function deployWithPnpm(directory: string): Promise<string> {
  const present = await readdir(directory).catch(() => [])
  if (present.length > 0) throw new StepError('the directory is not empty')
  let output = ''
  const code = await pnpm(root, ['--filter', '@authconn/server', '--prod', 'deploy', directory], (text) => {
    output += text
  })
  if (code !== 0) throw new StepError(output)
  return output
}
