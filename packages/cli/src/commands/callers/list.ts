import type { Caller } from '@authconn/shared'
import { allCallers } from '../../callers/all-callers.ts'
import { defineCommand } from '../../command.ts'
import type { Context } from '../../context.ts'
import { text } from '../../flags.ts'
import { addressesOf, subjectsOf } from '../../output/caller.ts'
import { table } from '../../output/table.ts'
import { timeLeft } from '../../output/time.ts'
import { withTrust } from '../../trusts/with-trust.ts'

export const listCallers = defineCommand({
  flags: { trust: text('TRUST', 'those who have a key by this trust, newest first, instead of the others') },
  examples: [
    ['authconn callers list', 'a table of all callers that are not revoked'],
    [
      `authconn callers list --json | jq -r '.callers[] | select(.last_used_at == null) | .name'`,
      'those that have never been used',
    ],
    ['authconn callers list --trust deploy', 'the jobs, pods or people that have a key by a trust'],
  ],

  async run(ctx, { trust }): Promise<{ callers: Caller[] }> {
    const callers = await ctx.waitFor('Asking the vault', allCallers(ctx, trust))
    if (callers.length === 0 && trust !== undefined) await requireTrust(ctx, trust)
    return { callers }
  },

  render({ callers }, view) {
    if (callers.length === 0) return 'Nobody has a key by this trust.'
    const cells = (of: (caller: Caller) => string) => callers.map(of)
    return table(
      [
        { heading: 'NAME', cells: cells(({ name }) => name), whole: true },
        ...(callers.some(({ identity }) => identity !== null)
          ? [
              { heading: 'ID', cells: cells(({ id }) => id), whole: true as const },
              { heading: 'IDENTITY', cells: cells(({ identity }) => identity ?? '-') },
            ]
          : []),
        {
          heading: 'EXPIRES IN',
          cells: cells(({ expires_at: end }) => (end === null ? '-' : timeLeft(end, view.now))),
          paint: (cell) => (cell === 'ended' ? view.paint.red(cell) : cell),
        },
        { heading: 'LAST USED', cells: cells(({ last_used_at }) => last_used_at ?? '-'), spare: true },
        { heading: 'CONNECTIONS', cells: cells(({ connections }) => connections.join(', ')) },
        { heading: 'SUBJECTS', cells: cells(subjectsOf) },
        { heading: 'ADDRESSES', cells: cells(addressesOf) },
        { heading: 'MAY', cells: cells(({ permissions }) => permissions.join(', ')) },
      ],
      view,
    )
  },
})

/** A mistyped name has made no callers either. Throws trust_not_found, with what was probably meant. */
async function requireTrust(ctx: Context, trust: string): Promise<void> {
  const { signal } = ctx
  await withTrust(ctx, [trust], async (name) => {
    const vault = await ctx.vault()
    return vault.call('getTrust', { params: { name } }, { signal })
  })
}
