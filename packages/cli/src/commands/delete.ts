import { AuthconnError } from '@authconn/sdk'
import type { DeletedConnection } from '@authconn/shared'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { toggle } from '../flags.ts'
import { existingName, nameFlag, nameOperand } from '../input/connection-name.ts'
import { askWhether } from '../input/prompts.ts'
import { plainLine } from '../output/plain.ts'
import { stoppedAtQuestion } from '../output/report-error.ts'
import { describeRevocation } from '../output/revocation.ts'

export const deleteCommand = defineCommand({
  description:
    'Deletes the client secret and the tokens of every subject, and revokes them at the provider where it can.',
  operand: nameOperand,
  flags: { ...nameFlag, yes: toggle('do not ask whether to go on; needed where nobody is there to ask') },
  examples: [
    ['authconn delete google-oauth', 'asks, then deletes it'],
    ['authconn delete google-oauth --yes', 'for scripts'],
  ],

  async run(ctx, flags, operands): Promise<DeletedConnection> {
    const { signal } = ctx
    if (!flags.yes && !ctx.interactive) {
      throw new AuthconnError('usage', 'Nobody is there to confirm the deletion: add --yes.')
    }
    const name = await existingName(ctx, flags, operands)
    if (!flags.yes) await confirm(ctx, name)
    const vault = await ctx.vault()
    return ctx.waitFor('Deleting', vault.call('deleteConnection', { params: { name } }, { signal }))
  },

  render: ({ name, revocations }, view) =>
    [`Deleted ${plainLine(name)}.`, ...revocations.map((revocation) => describeRevocation(revocation, view))].join(
      '\n',
    ),
})

async function confirm(ctx: Context, name: string): Promise<void> {
  const { signal } = ctx
  const vault = await ctx.vault()
  // Asked first, so that a name that does not exist is told before the question.
  const { status } = await vault.call('getConnection', { params: { name } }, { signal })
  if (await askWhether(ctx, `Delete ${name} (${status}), with its client secret and all its tokens?`)) return
  throw stoppedAtQuestion('The deletion was not confirmed.')
}
