import type { Caller } from '@authconn/shared'
import { callerOperand, existingCaller } from '../../callers/existing-caller.ts'
import { defineCommand } from '../../command.ts'
import { plainLine } from '../../output/plain.ts'

export const revokeCaller = defineCommand({
  description:
    'Every vault process refuses its API keys from the next request on. Tokens that it was given before stay valid at the provider until they end: authconn revoke ends those, for everybody.',
  operand: callerOperand,
  flags: {},
  examples: [['authconn callers revoke ci', 'its name is free again']],

  async run(ctx, _flags, operands): Promise<Caller> {
    const { signal } = ctx
    const { id } = await existingCaller(ctx, operands)
    const vault = await ctx.vault()
    return ctx.waitFor('Revoking', vault.call('revokeCaller', { params: { id } }, { signal }))
  },

  render: ({ name }, view) => `Revoked the caller ${view.paint.bold(plainLine(name))}.`,
})
