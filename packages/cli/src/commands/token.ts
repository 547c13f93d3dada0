import { defineCommand } from '../command.ts'
import { text } from '../flags.ts'
import { existingName, nameFlag, nameOperand } from '../input/connection-name.ts'

export const token = defineCommand({
  description:
    'The token is refreshed first when that is due. stdout gets the token and a line break, nothing else; with --json the access token with its type, end and scope.',
  operand: nameOperand,
  flags: {
    ...nameFlag,
    subject: text('SUBJECT', "the token of this user of the application, instead of the application's own"),
  },
  examples: [
    ['authconn token google-oauth', 'a token that is valid now'],
    [
      'curl -H "Authorization: Bearer $(authconn token google-oauth)" https://www.googleapis.com/oauth2/v2/userinfo',
      'call an API with it',
    ],
    ['authconn token google-oauth --json', 'with its end: {"access_token": …, "expires_at": …}'],
  ],

  async run(ctx, { subject, ...flags }, operands) {
    const { signal } = ctx
    const name = await existingName(ctx, flags, operands)
    const vault = await ctx.vault()
    const asked = { signal, ...(subject === undefined ? {} : { subject }) }
    return ctx.waitFor('Fetching the token', vault.getConnectionToken(name, asked))
  },

  render: ({ access_token }) => access_token,
})
