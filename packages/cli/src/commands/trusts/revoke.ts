import type { Trust } from '@authconn/shared'
import { defineCommand } from '../../command.ts'
import { plainLine } from '../../output/plain.ts'
import { trustOperand, withTrust } from '../../trusts/with-trust.ts'

export const revokeTrust = defineCommand({
  description:
    'Every vault process refuses its tokens, and the keys that were given for them, from the next request on. Access tokens that were fetched before stay valid at the provider until they end: authconn revoke ends those, for everybody.',
  operand: trustOperand,
  flags: {},
  examples: [['authconn trusts revoke deploy', 'its name is free again']],

  async run(ctx, _flags, operands): Promise<Trust> {
    const { signal } = ctx
    return withTrust(ctx, operands, async (name) => {
      const vault = await ctx.vault()
      return ctx.waitFor('Revoking', vault.call('revokeTrust', { params: { name } }, { signal }))
    })
  },

  render: ({ name }, view) =>
    `Revoked the trust ${view.paint.bold(plainLine(name))}, and every key that was given by it.`,
})
