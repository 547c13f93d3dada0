import { AuthconnError, type Connection } from '@authconn/sdk'
import { redirectUriOf } from '../authorize/listen-for-callback.ts'
import { registeredHost } from '../authorize/registered-redirect.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { findConnections } from '../doctor/check-connections.ts'
import { checkProvider } from '../doctor/check-provider.ts'
import { checkRedirect, elsewhere } from '../doctor/check-redirect.ts'
import { checkVault } from '../doctor/check-vault.ts'
import type { Diagnosis } from '../doctor/diagnosis.ts'
import { type Explanation, explainOauthError, oauthErrors } from '../doctor/oauth-errors.ts'
import { integer, oneOf, text } from '../flags.ts'
import { givenName, nameFlag, nameOperand } from '../input/connection-name.ts'
import { describeDiagnosis } from '../output/diagnosis.ts'

export const doctor = defineCommand({
  description:
    'Looks at what goes wrong most often: which vault, whether it answers, the clocks, the API key and its file, the redirect URI and its port, the state of the connections; with a name also what its provider publishes. Explains the usual OAuth errors.',
  operand: { ...nameOperand, help: 'the connection to look at; all of them when left out' },
  flags: {
    ...nameFlag,
    port: integer('PORT', 'the port of the redirect URI', { from: 1, to: 65535, fallback: 8080 }),
    redirectHost: oneOf(
      ['127.0.0.1', 'localhost', '::1'],
      'the host of the redirect URI; the one that is to be registered for the connection unless given, otherwise 127.0.0.1',
    ),
    error: text('WORDS', 'explain what the provider said, as on its page in the browser'),
  },
  terms: {
    heading: 'The usual errors',
    meanings: Object.fromEntries(Object.entries(oauthErrors).map(([error, { means }]) => [error, `${means}.`])),
  },
  exits: { 1: 'a check failed' },
  examples: [
    ['authconn doctor', 'the vault, the key, this machine, and every connection'],
    ['authconn doctor google-oauth', 'one connection and its provider'],
    ['authconn doctor google-oauth --error redirect_uri_mismatch', 'what the page of the provider means'],
    [`authconn doctor --json | jq '.checks[] | select(.status == "failed")'`, 'for programs'],
  ],

  async run(ctx, { port, redirectHost, error, ...flags }, operands): Promise<Diagnosis> {
    const name = givenName(flags, operands)
    const usual = redirectUriOf(redirectHost ?? '127.0.0.1', port)
    const asked = error === undefined ? undefined : explained(error, usual)
    const redirectUri = ({ registration }: Connection) => {
      const host = redirectHost ?? registeredHost({ registration })
      return host === undefined ? (registration?.redirect_uri ?? usual) : redirectUriOf(host, port)
    }
    const found = await ctx.waitFor('Asking the vault', lookAtVault(ctx, name, redirectUri, error))
    const ofConnection = found.connection === undefined ? '127.0.0.1' : registeredHost(found.connection)
    const host = redirectHost ?? ofConnection
    const checks = [
      ...found.checks,
      ...(host === undefined ? [elsewhere] : await checkRedirect(ctx, { host, port })),
    ]
    const explanations = distinct([...found.explanations, ...(asked ? [asked] : [])])
    return { ok: checks.every(({ status }) => status !== 'failed'), checks, explanations }
  },

  render: describeDiagnosis,

  exitCode: ({ ok }) => (ok ? 0 : 1),
})

async function lookAtVault(
  ctx: Context,
  name: string | undefined,
  redirectUri: (connection: Connection) => string,
  error: string | undefined,
): Promise<Pick<Diagnosis, 'checks' | 'explanations'> & { connection?: Connection | undefined }> {
  const { checks, vault, self } = await checkVault(ctx)
  if (vault === undefined || self === undefined) return { checks, explanations: [] }
  const found = await findConnections(ctx, vault, name)
  checks.push(...found.checks)
  const connection = name === undefined ? undefined : found.connections[0]
  if (connection !== undefined) checks.push(await checkProvider(connection, ctx.signal))
  const explanations = found.connections.flatMap((each) => {
    const { last_error: last } = each
    const words = [...(name === undefined || error === undefined ? [] : [error])]
    if (last !== null) words.push(`${last.code} ${last.detail}`)
    const known = { name: each.name, clientId: each.client_id, redirectUri: redirectUri(each) }
    return words.flatMap((said) => explainOauthError(said, known) ?? [])
  })
  return { checks, explanations, connection }
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
