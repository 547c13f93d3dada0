import { AuthconnError } from '@authconn/sdk'
import { checkVariable, ofIdentity, ofVault } from '../token/variables.ts'

type Env = Readonly<Record<string, string | undefined>>

/** Which variable is to hold which connection's token: `VAR=NAME`, each variable once. Throws usage. */
export function readAssignments(given: readonly string[] | undefined): { variable: string; name: string }[] {
  if (given === undefined) throw new AuthconnError('usage', 'Give --token VAR=NAME, at least once.')
  const assignments = given.map((words) => {
    const [, variable, name] = /^([^=]+)=(.+)$/s.exec(words) ?? []
    if (variable === undefined || name === undefined) {
      throw new AuthconnError(
        'usage',
        '--token takes VAR=NAME: a variable and the connection whose token it gets.',
      )
    }
    checkVariable(variable, '--token')
    return { variable, name }
  })
  const variables = assignments.map(({ variable }) => spelling(variable))
  const twice = assignments.find((_, at) => variables.indexOf(variables[at] ?? '') !== at)
  if (twice) throw new AuthconnError('usage', `--token gives ${twice.variable} twice.`)
  return assignments
}

/**
 * The environment of the program: without what reaches the vault, or would give it a key there unless it is to keep that, and
 * with the tokens in place of what was there.
 */
export function environmentOf(
  env: Env,
  tokens: Readonly<Record<string, string>>,
  keepIdentity: boolean,
): Record<string, string> {
  const replaced = new Set(Object.keys(tokens).map(spelling))
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined &&
      !ofVault.test(entry[0]) &&
      (keepIdentity || !ofIdentity.test(entry[0])) &&
      !replaced.has(spelling(entry[0])),
  )
  return { ...Object.fromEntries(kept), ...tokens }
}

/** Windows takes Path and PATH for one variable. */
function spelling(name: string): string {
  return process.platform === 'win32' ? name.toUpperCase() : name
}
