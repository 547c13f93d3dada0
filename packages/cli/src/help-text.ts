import { type ErrorKind, exitCodes } from '@authconn/shared/errors'
import type { CommandData } from './command.ts'

/** What the help of the program says after the list of commands. */
export function programHelp(): string {
  return `
Examples:
  $ authconn create google-oauth --provider-url https://accounts.google.com --client-id ID --client-secret-file F
  $ authconn authorize google-oauth --scopes openid,email
  $ authconn token google-oauth

${termList('Environment', Object.entries(environment))}

${termList('Exit codes', exitMeanings())}

Run authconn help COMMAND for a command's flags and examples.`
}

/** The variables that the command line reads. */
export const environment: Readonly<Record<string, string>> = {
  AUTHCONN_URL: 'where the vault is; a vault on this machine is found without',
  AUTHCONN_API_KEY: 'the API key, or AUTHCONN_API_KEY_FILE for a file that holds it',
  AUTHCONN_ID_TOKEN:
    'instead of a key an OIDC token that the vault trusts, or AUTHCONN_ID_TOKEN_FILE for its file; jobs of GitHub Actions with the permission id-token: write need neither',
  AUTHCONN_AUDIENCE: 'whom that token is for, if not the URL of the vault',
  AUTHCONN_WORKSPACE: 'the workspace that trusts it, if not the default one',
  AUTHCONN_TRUST: 'the trust, where the token fits several',
  AUTHCONN_PROFILE: 'the vault and key kept by authconn login under that name',
  AUTHCONN_CONFIG_DIR: 'where profiles are kept, if not in the usual place',
  AUTHCONN_DATA_DIR: 'where a vault on this machine keeps its data, if not in the usual place',
  AUTHCONN_ALLOW_INSECURE_HTTP: 'true: send the API key over plain http, on a private network',
  NODE_EXTRA_CA_CERTS: "a file with the authority of the vault's TLS certificate, where it is your own",
  'NO_COLOR, FORCE_COLOR': 'colors off or on',
  AUTHCONN_DEBUG: '1: show where an unexpected error came from',
}

/** What the exit codes of all commands mean, in their order. */
export function exitMeanings(): [code: string, meaning: string][] {
  const kinds = Object.keys(exitCodes) as ErrorKind[]
  return [['0', 'done'], ...kinds.map((kind): [string, string] => [String(exitCodes[kind]), meanings[kind]])]
}

/** What the help of a group of commands says after their list. */
export function groupHelp(group: string): string {
  return `\nRun authconn help ${group} COMMAND for a command's flags and examples.`
}

/** What the help of a command says after its flags. */
export function commandHelp({ terms, examples, exits }: Omit<CommandData, 'flags'>): string {
  const parts = [
    ...(terms ? [termList(terms.heading, Object.entries(terms.meanings))] : []),
    ['Examples:', ...examples.map(([line, does]) => `  $ ${line}\n      ${does}`)].join('\n'),
    `${termList('Exit codes', exitsOf(exits))}\n  The others are those of all commands: authconn help`,
  ]
  return `\n${parts.join('\n\n')}`
}

/** Those that a command has to say something about. */
export function exitsOf(exits: CommandData['exits']): [code: string, meaning: string][] {
  return Object.entries({ 0: 'done', ...exits })
}

function termList(heading: string, entries: readonly (readonly [term: string, meaning: string])[]): string {
  const width = Math.max(...entries.map(([term]) => term.length))
  return [`${heading}:`, ...entries.map(([term, meaning]) => `  ${term.padEnd(width)}  ${meaning}`)].join('\n')
}

const meanings: Readonly<Record<ErrorKind, string>> = {
  internal: 'a defect, also one of a function that is run, or damaged data',
  usage: 'the command or request is not right',
  auth: 'the API key is not accepted, or does not permit it',
  missing: 'there is no such thing',
  state: 'it is not in a state for this: not authorized yet, exists already, port taken, …',
  provider: 'the OAuth provider refused or misbehaved',
  unavailable: 'the vault or the provider is not reachable now: try again later',
  consent: 'the consent flow did not come to its end: denied, timed out, …',
  interrupted: 'interrupted',
}
