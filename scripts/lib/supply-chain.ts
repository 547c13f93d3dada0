import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findLockfileProblems } from './find-lockfile-problems.ts'
import { pnpm } from './pnpm.mjs'
import { root, type Step, StepError, StepSkipped } from './steps.ts'

/** The lockfile is what the manifests ask for, and everything in it comes from the registry, with its hash. */
export const lockfile: Step = {
  name: 'lockfile',
  async run() {
    const { code, output } = await runPnpm(['install', '--frozen-lockfile', '--lockfile-only', '--offline'])
    if (code !== 0) throw new StepError(output)
    const problems = findLockfileProblems(await readFile(join(root, 'pnpm-lock.yaml'), 'utf8'))
    if (problems.length > 0) throw new StepError(problems.join('\n'))
    return output
  },
}

/**
 * What is known of weaknesses in what is shipped. Only the registry knows: without an answer of it the step is skipped
 * and says so, and fails where REQUIRE_AUDIT is true, as in continuous integration.
 */
export const knownVulnerabilities: Step = {
  name: 'known vulnerabilities',
  async run() {
    const { code, output } = await runPnpm(['audit', '--prod', '--audit-level', 'low', '--config.fetch-retries=0'])
    if (code === 0) return output
    const why = unanswered(output)
    if (why === undefined) throw new StepError(output)
    if (process.env.REQUIRE_AUDIT === 'true') throw new StepError(`${why}, and REQUIRE_AUDIT is true\n${output}`)
    throw new StepSkipped(why)
  },
}

/** Why the registry has said nothing; undefined: it has. Without a network npx may be what fails, before pnpm. */
function unanswered(output: string): string | undefined {
  if (/audit endpoint[\s\S]*responded with (404|405|501)/.test(output)) return 'the registry has no audit endpoint'
  const isUnreachable = /AUDIT_BAD_RESPONSE|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENOTCACHED/.test(
    output,
  )
  return isUnreachable ? 'the registry did not answer' : undefined
}

async function runPnpm(args: string[]): Promise<{ code: number; output: string }> {
  let output = ''
  const code = await pnpm(root, args, (text) => {
    output += text
  })
  return { code, output }
}
