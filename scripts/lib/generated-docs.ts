import { readFileSync } from 'node:fs'
import {
  contract,
  type ErrorCode,
  errorCodes,
  errorsOf,
  errorTable,
  exitCodes,
  type OperationName,
} from '@authconn/shared'
import { performancePage } from '../../bench/performance-page.ts'
import { listProviders } from '../../packages/server/src/adapters/oauth/providers.ts'
import { settings } from '../../packages/server/src/config/settings.ts'
import { promises } from '../../test/security/promises.ts'

const notice = '<!-- Made by `npm run docs` from the code; changes here are lost. -->'

/** The pages of the documentation that are made from the code or from measurements, by their paths in the checkout. */
export function generatedDocs(): { path: string; text: string }[] {
  return [
    { path: 'docs/errors.md', text: errorsPage() },
    { path: 'docs/settings.md', text: settingsPage() },
    { path: 'docs/performance.md', text: performancePage() },
    { path: 'docs/security.md', text: securityPage() },
    { path: 'docs/providers.md', text: providersPage() },
  ]
}

function errorsPage(): string {
  const operations = Object.keys(contract) as OperationName[]
  const usedBy = (code: ErrorCode) => {
    const names = operations.filter((name) => errorsOf(name).includes(code))
    return names.length === operations.length ? 'all' : names.map((name) => `\`${name}\``).join(', ')
  }
  const section = (title: string, codes: ErrorCode[]) =>
    `## ${title}\n\n${codes
      .map((code) => {
        const { status, kind, title: meaning, hint } = errorTable[code]
        const operationsOfCode = usedBy(code)
        return [
          `### \`${code}\``,
          '',
          `${meaning}. ${hint}`,
          '',
          `${status ? `HTTP status ${status}, ` : ''}exit code ${exitCodes[kind]}.${operationsOfCode ? ` Operations: ${operationsOfCode}.` : ''}`,
        ].join('\n')
      })
      .join('\n\n')}`

  return `${notice}

# Errors

Every error has a code for programs, a title, a detail of what went wrong this time, and a hint that says what to do.
The vault answers errors as \`application/problem+json\` (RFC 9457) with the members \`type\`, \`title\`, \`status\`, \`code\`,
\`detail\`, \`hint\`, \`request_id\` and, where fields are wrong, \`errors\`. A code keeps its meaning; new ones may be added.
With status 503 comes \`Retry-After\`, in seconds. The command line prints the same, and with \`--json\` as one line of JSON.

| exit code | kind | meaning |
| --- | --- | --- |
| 0 | | done |
${Object.entries(exitCodes)
  .sort(([, a], [, b]) => a - b)
  .map(([kind, code]) => `| ${code} | ${kind} | ${kindMeanings[kind as keyof typeof exitCodes]} |`)
  .join('\n')}

${section(
  'From the vault',
  errorCodes.filter((code) => errorTable[code].status > 0),
)}

${section(
  'From the programs themselves',
  errorCodes.filter((code) => errorTable[code].status === 0),
)}
`
}

/** The page is written by hand; the table of the promises in it is that of their tests. */
function securityPage(): string {
  const page = readFileSync(new URL('../../docs/security.md', import.meta.url), 'utf8')
  const rows = promises.map(({ number, promise, shownBy }) => {
    const files = [...new Set(shownBy.map(({ file }) => `\`${file.replace(/\.test\.ts$/, '')}\``))]
    return `| ${number} | ${promise} | ${files.join(' ')} |`
  })
  const table = ['| | promise | tests |', '| --- | --- | --- |', ...rows].join('\n')
  return page.replace(/(<!-- promises -->\n)[\s\S]*?(<!-- \/promises -->)/, `$1\n${table}\n\n$2`)
}

/** Likewise: the table of the providers is that of the catalog. */
function providersPage(): string {
  const page = readFileSync(new URL('../../docs/providers.md', import.meta.url), 'utf8')
  const rows = listProviders().map((provider) => {
    const { id, name, documentation, read, scopes, refresh_token, variables = [], registration } = provider
    const flags = variables.map((variable) => `\`--${variable.name}\``).join(' ')
    const unverified = provider.unverified?.map((field) => `\`${field}\``).join(' ') ?? ''
    const cells = [
      `\`${id}\``,
      `[${name}](${documentation}) (${read})`,
      flags,
      scopes.default.map((scope) => `\`${scope}\``).join(' '),
      refresh_token.rotation,
      `[console](${registration.url})`,
      unverified,
    ]
    return `| ${cells.join(' | ')} |`
  })
  const heading =
    '| name | provider, and when its documentation was read | takes | usual scopes | refresh token rotates | register | not verified |'
  const table = [heading, '| --- | --- | --- | --- | --- | --- | --- |', ...rows].join('\n')
  return page.replace(/(<!-- providers -->\n)[\s\S]*?(<!-- \/providers -->)/, `$1\n${table}\n\n$2`)
}

const kindMeanings: Record<keyof typeof exitCodes, string> = {
  internal: 'a defect, or damaged data',
  usage: 'the command or the request is not right',
  auth: 'the API key is not accepted, or does not permit it',
  missing: 'there is no such thing',
  state: 'the thing is not in a state for this',
  provider: 'the OAuth provider refused or misbehaved',
  unavailable: 'something cannot be reached now: try again later',
  consent: 'the consent flow did not come to its end',
  interrupted: 'Ctrl-C, or another signal to stop',
}

function settingsPage(): string {
  const rows = settings.map((setting) => {
    const flag = 'flag' in setting ? `\`${setting.flag}\`` : ''
    return `| \`${setting.name}\` | ${flag} | ${cell(setting.default)} | ${cell(setting.description)} |`
  })
  return `${notice}

# Settings of the vault

From the environment of \`authconn-server\`; a flag of its commands wins over its variable. All are checked at start:
a wrong one stops the start, names itself and says what it takes. An empty value counts as none. Variables that begin
with \`AUTHCONN_\` and are no setting are named in a warning.

| variable | flag | default | meaning |
| --- | --- | --- | --- |
${rows.join('\n')}
`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
}
