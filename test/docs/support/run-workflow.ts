import type { Job } from './play-jobs.ts'

type Run = (lines: string, env: Record<string, string>) => Promise<unknown>

/**
 * Runs what the jobs of a GitHub workflow or of a GitLab pipeline run, one after another, each with the variables that the
 * platform would give it. Throws for a step of others that is not known to exist.
 */
export async function runWorkflow(
  document: unknown,
  job: Job,
  run: Run,
  inherited: Record<string, string> = {},
): Promise<void> {
  if (Array.isArray(document)) {
    for (const each of document) await runWorkflow(each, job, run, inherited)
    return
  }
  if (!isMapping(document)) return
  const own = document.env ?? document.variables
  const env = { ...inherited, ...identityOf(document, job), ...(isMapping(own) ? filledIn(own) : {}) }
  if (typeof document.uses === 'string' && !/^actions\/(checkout|setup-node)@v\d+$/.test(document.uses)) {
    throw new Error(`nobody knows ${document.uses}`)
  }
  if (typeof document.run === 'string') await run(filled(document.run), env)
  for (const key of ['before_script', 'script', 'after_script']) {
    const lines = document[key]
    if (Array.isArray(lines)) await run(lines.join('\n'), env)
  }
  for (const [key, value] of Object.entries(document)) {
    if (!['env', 'variables', 'with'].includes(key)) await runWorkflow(value, job, run, env)
  }
}

/** Whether a job of it is one that shows who it is. */
export function showsIdentity(document: unknown): boolean {
  if (Array.isArray(document)) return document.some(showsIdentity)
  if (!isMapping(document)) return false
  const nobody: Job = { ofGithub: { shown: '' }, ofGitlab: () => ({ shown: '' }), ofPod: () => '' }
  return 'shown' in identityOf(document, nobody) || Object.values(document).some(showsIdentity)
}

/** Who the platform says the job is, where the document asks for that. */
function identityOf(document: Record<string, unknown>, job: Job): Record<string, string> {
  const { permissions, id_tokens: tokens } = document
  if (isMapping(permissions) && permissions['id-token'] === 'write') return job.ofGithub
  if (!isMapping(tokens)) return {}
  const audiences = Object.entries(tokens).map(([name, token]) => [name, isMapping(token) ? token.aud : ''])
  return job.ofGitlab(Object.fromEntries(audiences))
}

function filledIn(variables: Record<string, unknown>): Record<string, string> {
  const filledOnes = Object.entries(variables).map(([name, value]) => [name, filled(String(value))] as const)
  // What the platform keeps for the job is what the reader of the page has.
  return Object.fromEntries(filledOnes.filter(([, value]) => value !== ''))
}

function filled(text: string): string {
  return text.replaceAll(/\$\{\{\s*vars\.\w+\s*\}\}/g, '')
}

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
