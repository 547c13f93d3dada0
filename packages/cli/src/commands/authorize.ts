import { type AuthconnClient, AuthconnError } from '@authconn/sdk'
import type { Grant } from '@authconn/shared'
import { awaitPasted } from '../authorize/await-pasted.ts'
import { listenForCallback } from '../authorize/listen-for-callback.ts'
import { lookUpConnection } from '../authorize/look-up-connection.ts'
import { requireRegisteredHost } from '../authorize/registered-redirect.ts'
import { type Consented, runConsent } from '../authorize/run-consent.ts'
import { runDeviceConsent } from '../authorize/run-device-consent.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { integer, negated, oneOf, optionalInteger, text, toggle, words } from '../flags.ts'
import { existingName, nameFlag, nameOperand } from '../input/connection-name.ts'
import { subjectFlag } from '../output/command-line.ts'
import { describeGrant } from '../output/connection.ts'
import { plainLine } from '../output/plain.ts'
import { details } from '../output/table.ts'

export const authorize = defineCommand({
  description:
    'Listens on this machine for the end of the consent flow, opens the browser at the provider, and has the vault exchange the code. No token comes to this program. The redirect URI that is printed must be registered at the provider. With --device no browser comes back here: the person enters a code at the provider, from any machine. A connection that needs nobody to consent (client_credentials, jwt_bearer) gets a token at once.',
  operand: nameOperand,
  flags: {
    ...nameFlag,
    scopes: words(
      'LIST',
      "what to ask for, separated by commas; by default the provider's usual scopes (authconn providers NAME), otherwise openid,profile,email",
    ),
    port: optionalInteger('PORT', 'the port of the redirect URI; 8080 unless given, 0 for any that is free', {
      from: 0,
      to: 65535,
    }),
    redirectHost: oneOf(
      ['127.0.0.1', 'localhost', '::1'],
      'the host of the redirect URI; the one that is to be registered (authconn get NAME --json) unless given, otherwise 127.0.0.1',
    ),
    redirectUri: text(
      'URL',
      'an https redirect URI on another machine, which the operator allows; the address that the browser ends on is pasted',
    ),
    device: toggle('authorize by a code that is entered at the provider, in a browser on any machine (RFC 8628)'),
    browser: negated('do not open a browser; print the address to open'),
    paste: toggle(
      'take the address that the browser ended on from standard input, too; in a terminal this is always so',
    ),
    timeout: integer('SECONDS', 'how long to wait', { from: 1, to: 3600, fallback: 300 }),
    subject: text('SUBJECT', 'authorize for this user of the application, instead of the application itself'),
  },
  exits: { 5: 'the port is taken', 8: 'denied, timed out, or what came back was not right' },
  examples: [
    ['authconn authorize google-oauth --scopes openid,email --port 8080', 'opens the browser and waits'],
    [
      'authconn authorize google-oauth --no-browser',
      'on a machine without one: prints the address, takes the redirected one',
    ],
    ['authconn authorize github --device', 'on a machine without one, at a provider that has device codes'],
    [
      'authconn authorize slack --redirect-uri https://acme.example/callback',
      'for a provider that takes https only',
    ],
    ['authconn authorize acme --redirect-host localhost', 'for a provider that wants http://localhost'],
    ['authconn authorize google-oauth --subject user-17', "for one of the application's users"],
  ],

  async run(ctx, flags, operands): Promise<Consented | Fetched> {
    checkTogether(flags)
    const name = await existingName(ctx, flags, operands)
    const vault = await ctx.vault()
    if (flags.device) return runDeviceConsent({ ctx, vault }, { ...flags, name })
    // What is in a pipe may be meant for another program: of a loop over a list of connections, for example.
    const paste = flags.paste === true || ctx.stdin.isTTY === true
    const isSaid = flags.redirectHost !== undefined || flags.redirectUri !== undefined
    const connection = isSaid ? undefined : await lookUpConnection(vault, name, ctx.signal)
    if (connection && connection.grant_type !== 'authorization_code') return fetchAtOnce(ctx, vault, name, flags)
    // Before the vault is asked for one, so that no authorization is begun that could not be finished.
    const listener =
      flags.redirectUri === undefined
        ? await listenForCallback({
            host: flags.redirectHost ?? requireRegisteredHost(connection),
            port: flags.port ?? 8080,
          })
        : awaitPasted(flags.redirectUri, paste)
    try {
      return await runConsent({ ctx, vault, listener }, { ...flags, name, paste })
    } catch (error) {
      // The key may authorize, and not look at what it authorizes.
      const isUnseen = !isSaid && connection === undefined
      if (isUnseen && error instanceof AuthconnError && error.code === 'grant_type_mismatch') {
        return await fetchAtOnce(ctx, vault, name, flags)
      }
      throw error
    } finally {
      await listener.close()
    }
  },

  render({ connection, subject, grant }, view) {
    const what = subject === null ? connection : `${connection} for ${subject}`
    const words = `Authorized ${view.paint.bold(plainLine(what))}.`
    return grant === null ? words : `${words}\n${details(describeGrant(grant, view), view)}`
  },

  next: ({ connection, subject }) => `Next: authconn token ${connection}${subjectFlag(subject)}`,
})

/** What a connection has that needs nobody's consent. */
interface Fetched {
  connection: string
  subject: string | null
  grant: Grant
}

async function fetchAtOnce(
  ctx: Context,
  vault: AuthconnClient,
  name: string,
  { scopes, subject }: { scopes: string[] | undefined; subject: string | undefined },
): Promise<Fetched> {
  if (scopes !== undefined) {
    throw new AuthconnError('usage', `What ${name} asks for is said when it is created: leave out --scopes.`)
  }
  ctx.say(`${name} needs nobody to consent: the vault asks the provider for a token.`)
  const body = subject === undefined ? {} : { subject }
  const { signal } = ctx
  const grant = await ctx.waitFor(
    'Asking the provider',
    vault.call('createGrant', { params: { name }, body }, { signal }),
  )
  return { connection: name, subject: grant.subject, grant }
}

/** Throws usage for flags of which one would make the other mean nothing. */
function checkTogether(flags: {
  device: boolean | undefined
  redirectUri: string | undefined
  redirectHost: string | undefined
  port: number | undefined
  paste: boolean | undefined
}): void {
  const refuse = (detail: string) => new AuthconnError('usage', detail)
  if (flags.redirectUri !== undefined && flags.redirectHost !== undefined) {
    throw refuse('--redirect-uri and --redirect-host exclude each other.')
  }
  if (flags.redirectUri !== undefined && flags.port !== undefined) {
    throw refuse('--redirect-uri says it with its port, and nothing listens here: leave out --port.')
  }
  const { redirectUri, redirectHost, port, paste } = flags
  if (flags.device && (paste || (redirectUri ?? redirectHost ?? port) !== undefined)) {
    throw refuse(
      'With --device no browser comes back: leave out --redirect-uri, --redirect-host, --port and --paste.',
    )
  }
}
