import type { CreatedCaller } from '@authconn/shared'
import { callerOperand, existingCaller } from '../../callers/existing-caller.ts'
import { defineCommand } from '../../command.ts'
import { duration } from '../../flags.ts'
import { describeKey, shownOnce } from '../../output/caller.ts'
import { plainLine } from '../../output/plain.ts'

export const rotateCaller = defineCommand({
  description:
    'The new API key is in the result, this once. The former one works on for the overlap, and any before it no more: give the new one to whoever uses the caller in that time.',
  operand: callerOperand,
  flags: {
    overlap: duration('how long the former key still works; 24h unless given, 0 to end it at once', {
      from: 0,
      to: 30 * 86_400,
    }),
  },
  examples: [
    ['authconn callers rotate ci', 'a new key; the former one works for a day yet'],
    ['authconn callers rotate ci --overlap 0', 'when the former key has leaked'],
    ['authconn callers rotate ci --json | jq -r .api_key', 'the new key alone, for scripts'],
  ],

  async run(ctx, { overlap }, operands): Promise<CreatedCaller> {
    const { signal } = ctx
    const { id } = await existingCaller(ctx, operands)
    const vault = await ctx.vault()
    const body = overlap === undefined ? {} : { overlap }
    return ctx.waitFor('Rotating', vault.call('rotateCaller', { params: { id }, body }, { signal }))
  },

  render: (caller, view) =>
    `Rotated the key of ${view.paint.bold(plainLine(caller.name))}.\n${describeKey(caller, view)}`,

  next: () => shownOnce,
})
