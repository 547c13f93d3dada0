import type { Caller } from '@authconn/shared'
import { callerOperand, existingCaller } from '../../callers/existing-caller.ts'
import { defineCommand } from '../../command.ts'
import type { Context } from '../../context.ts'
import { plainLine } from '../../output/plain.ts'

export const revokeCaller = defineCommand({
  description:
    'Every vault process refuses its API keys from the next request on. Tokens that it was given before stay valid at the provider until they end: authconn revoke ends those, for everybody.',
  operand: callerOperand,
  flags: {},
  examples: [
    ['authconn callers revoke ci', 'its name is free again'],
    ['authconn callers revoke 1c9a5f1e-4d0b-4f0e-8f7a-2f6f3c1b9d01', 'one of those that a trust has made'],
  ],

  async run(ctx, _flags, operands): Promise<Caller> {
    const { signal } = ctx
    const id = await idOf(ctx, operands)
    const vault = await ctx.vault()
    return ctx.waitFor('Revoking', vault.call('revokeCaller', { params: { id } }, { signal }))
  },

  render: ({ name }, view) => `Revoked the caller ${view.paint.bold(plainLine(name))}.`,
})

/** Those that a trust has made are not among the others, and go by one name. */
async function idOf(ctx: Context, operands: readonly string[]): Promise<string> {
  const [given] = operands
  if (given !== undefined && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(given)) return given
  return (await existingCaller(ctx, operands)).id
}
