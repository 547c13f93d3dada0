import type { Trust } from '@authconn/shared'
import { defineCommand } from '../../command.ts'
import { plainLine } from '../../output/plain.ts'
import { describeTrust } from '../../output/trust.ts'
import { trustOperand, withTrust } from '../../trusts/with-trust.ts'

export const getTrust = defineCommand({
  operand: trustOperand,
  flags: {},
  examples: [
    ['authconn trusts get deploy', 'whose tokens it takes, and what a key may do that is given for one'],
    ["authconn trusts get deploy --json | jq '.claims'", 'for programs'],
  ],

  async run(ctx, _flags, operands): Promise<Trust> {
    const { signal } = ctx
    return withTrust(ctx, operands, async (name) => {
      const vault = await ctx.vault()
      return ctx.waitFor('Asking the vault', vault.call('getTrust', { params: { name } }, { signal }))
    })
  },

  render: (trust, view) => `${view.paint.bold(plainLine(trust.name))}\n${describeTrust(trust, view)}`,
})
