import { AuthconnError } from '@authconn/sdk'
import { redirectUriOf } from '../authorize/listen-for-callback.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { checkConnection, findConnections } from '../doctor/check-connections.ts'
import { checkProvider } from '../doctor/check-provider.ts'
import { checkRedirect } from '../doctor/check-redirect.ts'
import { checkVault } from '../doctor/check-vault.ts'
import type { Diagnosis } from '../doctor/diagnosis.ts'
import { type Explanation, explainOauthError, oauthErrors } from '../doctor/oauth-errors.ts'
import { integer, oneOf, text } from '../flags.ts'
import { givenName, nameFlag, nameOperand } from '../input/connection-name.ts'
import { describeDiagnosis } from '../output/diagnosis.ts'

export const doctor = defineCommand({
  description:
    'Looks at what goes wrong most often: which vault, whether it answers, the clocks, the API key and its file, the redirect URI and its port, the state of the connections; with a name also what its provider publishes. Explains the usual OAuth errors. The exit code is 1 when something failed.',
  operand: { ...nameOperand, help: 'the connection to look at; all of them when left out' },
  flags: {
    ...nameFlag,
    port: integer('PORT', 'the port of the redirect URI', { from: 1, to: 65535, fallback: 8080 }),
    redirectHost: oneOf(['127.0.0.1', 'localhost', '::1'], 'the host of the redirect URI', '127.0.0.1'),
    error: text('WORDS', 'explain what the provider said, as on its page in the browser'),
  },
  terms: {
    heading: 'The usual errors',
    meanings: Object.fromEntries(Object.entries(oauthErrors).map(([error, { means }]) => [error, `${means}.`])),
  },
  examples: [
    ['authconn doctor', 'the vault, the key, this machine, and every connection'],
    ['authconn doctor google-oauth', 'one connection and its provider'],
    ['authconn doctor google-oauth --error redirect_uri_mismatch', 'what the page of the provider means'],
    [`authconn doctor --json | jq '.checks[] | select(.status == "failed")'`, 'for programs'],
  ],

  async run(ctx, { port, redirectHost, error, ...flags }, operands): Promise<Diagnosis> {
    const name = givenName(flags, operands)
    const host = redirectHost ?? '127.0.0.1'
    const redirectUri = redirectUriOf(host, port)
    const asked = error === undefined ? undefined : explained(error, redirectUri)
    const found = await ctx.waitFor('Asking the vault', lookAtVault(ctx, name, redirectUri, error))
    const checks = [...found.checks, ...(await checkRedirect(ctx, { host, port }))]
    const explanations = distinct([...found.explanations, ...(asked ? [asked] : [])])
    return { ok: checks.every(({ status }) => status !== 'failed'), checks, explanations }
  },

  render: describeDiagnosis,

  exitCode: ({ ok }) => (ok ? 0 : 1),
})

async function lookAtVault(
  ctx: Context,
  name: string | undefined,
  redirectUri: string,
  error: string | undefined,
): Promise<Pick<Diagnosis, 'checks' | 'explanations'>> {
  const { checks, vault, self } = await checkVault(ctx)
  if (vault === undefined || self === undefined) return { checks, explanations: [] }
  const found = await findConnections(ctx, vault, name)
  checks.push(...found.checks, ...found.connections.map(checkConnection))
  const [only] = found.connections
  if (name !== undefined && only !== undefined) checks.push(await checkProvider(only, ctx.signal))
  const explanations = found.connections.flatMap((connection) => {
    const { last_error: last } = connection
    const words = [...(name === undefined || error === undefined ? [] : [error])]
    if (last !== null) words.push(`${last.code} ${last.detail}`)
    const known = { name: connection.name, clientId: connection.client_id, redirectUri }
    return words.flatMap((each) => explainOauthError(each, known) ?? [])
  })
  return { checks, explanations }
}

/** Without a connection, which may not even be there: people come here with what a page said. Throws usage. */
function explained(error: string, redirectUri: string): Explanation {
  const known = { name: 'NAME', clientId: 'authconn get NAME shows it', redirectUri }
  const found = explainOauthError(error, known)
  if (found) return found
  throw new AuthconnError(
    'usage',
    `--error knows ${Object.keys(oauthErrors).join(', ')} and what providers call them.`,
  )
}

/** What was explained for a connection need not be explained without one, nor twice. */
function distinct(explanations: readonly Explanation[]): Explanation[] {
  return [...new Map(explanations.toReversed().map((each) => [each.error, each])).values()].reverse()
}
