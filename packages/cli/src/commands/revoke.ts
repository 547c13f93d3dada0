import type { Revocation } from '@authconn/shared'
import { defineCommand } from '../command.ts'
import { text } from '../flags.ts'
import { existingName, nameFlag, nameOperand } from '../input/connection-name.ts'
import { subjectFlag } from '../output/command-line.ts'
import { describeRevocation } from '../output/revocation.ts'

export const revoke = defineCommand({
  description:
    'The vault stops giving out the tokens at once. Where the provider takes revocations (RFC 7009) they are revoked there too; when that fails, the vault says so and goes on trying. The connection stays and can be authorized again.',
  operand: nameOperand,
  flags: {
    ...nameFlag,
    subject: text('SUBJECT', "revoke what this user authorized, instead of the application's own tokens"),
  },
  examples: [
    ['authconn revoke google-oauth', "revoke the application's own tokens"],
    ['authconn revoke google-oauth --subject user-17', 'revoke those of one user'],
  ],

  async run(ctx, { subject, ...flags }, operands): Promise<Revocation> {
    const { signal } = ctx
    const name = await existingName(ctx, flags, operands)
    const vault = await ctx.vault()
    const body = subject === undefined ? {} : { subject }
    return ctx.waitFor('Revoking', vault.call('revokeGrant', { params: { name }, body }, { signal }))
  },

  render: describeRevocation,

  next: ({ connection, subject }) =>
    `To authorize it again: authconn authorize ${connection}${subjectFlag(subject)}`,
})
