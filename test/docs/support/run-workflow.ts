import type { Jobs } from './play-jobs.ts'

type Run = (lines: string, env: Record<string, string>) => Promise<unknown>

/**
 * Runs what the jobs of a GitHub workflow or of a GitLab pipeline run, one after another, each with the variables that the
 * platform would give it. Throws for a step of others that is not known to exist.
 */
export async function runWorkflow(
  document: unknown,
  jobs: Jobs,
  run: Run,
  inherited: Record<string, string> = {},
): Promise<void> {
  if (Array.isArray(document)) {
    for (const each of document) await runWorkflow(each, jobs, run, inherited)
    return
  }
  if (!isMapping(document)) return
  const own = document.env ?? document.variables
  const env = { ...inherited, ...identityOf(document, jobs), ...(isMapping(own) ? filledIn(own) : {}) }
  if (typeof document.uses === 'string' && !/^actions\/(checkout|setup-node)@v\d+$/.test(document.uses)) {
    throw new Error(`nobody knows ${document.uses}`)
  }
  if (typeof document.run === 'string') await run(filled(document.run), env)
  for (const key of ['before_script', 'script', 'after_script']) {
    const lines = document[key]
    if (Array.isArray(lines)) await run(lines.join('\n'), env)
  }
  for (const [key, value] of Object.entries(document)) {
    if (!['env', 'variables', 'with'].includes(key)) await runWorkflow(value, jobs, run, env)
  }
}

/** Who the platform says the job is, where the document asks for that. */
function identityOf(
  { permissions, id_tokens: tokens }: Record<string, unknown>,
  jobs: Jobs,
): Record<string, string> {
  if (isMapping(permissions) && permissions['id-token'] === 'write') return jobs.ofGithub
  if (!isMapping(tokens)) return {}
  const signed = Object.entries(tokens).map(([name, token]) => {
    return [name, jobs.idTokenOfGitlab(isMapping(token) ? String(token.aud) : '')]
  })
  return { ...Object.fromEntries(signed), AUTHCONN_API_KEY: '' }
}

function filledIn(variables: Record<string, unknown>): Record<string, string> {
  const filledOnes = Object.entries(variables).map(([name, value]) => [name, filled(String(value))] as const)
  // What the platform keeps for the job is what the reader of the page has.
  return Object.fromEntries(filledOnes.filter(([, value]) => value !== ''))
}

function filled(text: string): string {
  return text.replaceAll(/\$\{\{\s*(?:vars|secrets)\.\w+\s*\}\}/g, '')
}

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
