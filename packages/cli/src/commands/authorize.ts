import { listenForCallback } from '../authorize/listen-for-callback.ts'
import { findRegisteredHost } from '../authorize/registered-redirect.ts'
import { type Consented, runConsent } from '../authorize/run-consent.ts'
import { defineCommand } from '../command.ts'
import { integer, negated, oneOf, text, toggle, words } from '../flags.ts'
import { existingName, nameFlag, nameOperand } from '../input/connection-name.ts'
import { subjectFlag } from '../output/command-line.ts'
import { describeGrant } from '../output/connection.ts'
import { plainLine } from '../output/plain.ts'
import { details } from '../output/table.ts'

export const authorize = defineCommand({
  description:
    'Listens on this machine for the end of the consent flow, opens the browser at the provider, and has the vault exchange the code. No token comes to this program. The redirect URI that is printed must be registered at the provider.',
  operand: nameOperand,
  flags: {
    ...nameFlag,
    scopes: words(
      'LIST',
      "what to ask for, separated by commas; by default the provider's usual scopes (authconn providers NAME), otherwise openid,profile,email",
    ),
    port: integer('PORT', 'the port of the redirect URI; 0 for any that is free', {
      from: 0,
      to: 65535,
      fallback: 8080,
    }),
    redirectHost: oneOf(
      ['127.0.0.1', 'localhost', '::1'],
      'the host of the redirect URI; the one that is to be registered (authconn get NAME --json) unless given, otherwise 127.0.0.1',
    ),
    browser: negated('do not open a browser; print the address to open'),
    paste: toggle(
      'take the address that the browser ended on from standard input, too; in a terminal this is always so',
    ),
    timeout: integer('SECONDS', 'how long to wait', { from: 1, to: 3600, fallback: 300 }),
    subject: text('SUBJECT', 'authorize for this user of the application, instead of the application itself'),
  },
  examples: [
    ['authconn authorize google-oauth --scopes openid,email --port 8080', 'opens the browser and waits'],
    [
      'authconn authorize google-oauth --no-browser',
      'on a machine without one: prints the address, takes the redirected one',
    ],
    ['authconn authorize acme --redirect-host localhost', 'for a provider that wants http://localhost'],
    ['authconn authorize google-oauth --subject user-17', "for one of the application's users"],
  ],

  async run(ctx, flags, operands): Promise<Consented> {
    const name = await existingName(ctx, flags, operands)
    const vault = await ctx.vault()
    // What is in a pipe may be meant for another program: of a loop over a list of connections, for example.
    const paste = flags.paste === true || ctx.stdin.isTTY === true
    const host = flags.redirectHost ?? (await findRegisteredHost(vault, name, ctx.signal))
    // Before the vault is asked for one, so that no authorization is begun that could not be finished.
    const listener = await listenForCallback({ host, port: flags.port })
    try {
      return await runConsent({ ctx, vault, listener }, { ...flags, name, paste })
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
