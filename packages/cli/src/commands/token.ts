import { defineCommand } from '../command.ts'
import { duration, text, toggle } from '../flags.ts'
import { existingName, nameFlag, nameOperand } from '../input/connection-name.ts'

export const token = defineCommand({
  description:
    'The token is refreshed first when that is due. stdout gets the token and a line break, nothing else; with --json the access token with its type, end, version and scope.',
  operand: nameOperand,
  flags: {
    ...nameFlag,
    subject: text('SUBJECT', "the token of this user of the application, instead of the application's own"),
    minTtl: duration('how long the token must still be valid for, such as 90s, 10m or 1h', {
      from: 0,
      to: 86_400,
    }),
    forceRefresh: toggle(
      'refresh although the token is good, unless that was done a moment ago: it was revoked at the provider, or to try the client secret',
    ),
  },
  examples: [
    ['authconn token google-oauth', 'a token that is valid now'],
    [
      'curl -H "Authorization: Bearer $(authconn token google-oauth)" https://www.googleapis.com/oauth2/v2/userinfo',
      'call an API with it',
    ],
    ['authconn token google-oauth --min-ttl 10m', 'for work that takes ten minutes'],
    ['authconn token google-oauth --force-refresh', 'another one, after an API refused the last'],
    ['authconn token google-oauth --json', 'with its end: {"access_token": …, "expires_at": …}'],
  ],

  async run(ctx, { subject, minTtl, forceRefresh, ...flags }, operands) {
    const { signal } = ctx
    const name = await existingName(ctx, flags, operands)
    const vault = await ctx.vault()
    const asked = { signal, subject, minTtl, forceRefresh }
    return ctx.waitFor('Fetching the token', vault.getConnectionToken(name, asked))
  },

  render: ({ access_token }) => access_token,
})
