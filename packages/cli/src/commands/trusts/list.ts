import type { Trust } from '@authconn/shared'
import { defineCommand } from '../../command.ts'
import { table } from '../../output/table.ts'
import { timeLeft } from '../../output/time.ts'
import { claimsOf } from '../../output/trust.ts'
import { allTrusts } from '../../trusts/all-trusts.ts'

export const listTrusts = defineCommand({
  flags: {},
  examples: [
    ['authconn trusts list', 'a table of all trusts that are not revoked'],
    [
      `authconn trusts list --json | jq -r '.trusts[] | select(.last_used_at == null) | .name'`,
      'those that have never been used',
    ],
    ['authconn callers list --trust deploy', 'who has a key by one of them'],
  ],

  async run(ctx): Promise<{ trusts: Trust[] }> {
    return { trusts: await ctx.waitFor('Asking the vault', allTrusts(ctx)) }
  },

  render({ trusts }, view) {
    if (trusts.length === 0) return 'There are no trusts yet.'
    const cells = (of: (trust: Trust) => string) => trusts.map(of)
    return table(
      [
        { heading: 'NAME', cells: cells(({ name }) => name), whole: true },
        { heading: 'PRESET', cells: cells(({ preset }) => preset ?? '-') },
        { heading: 'CLAIMS', cells: cells(claimsOf) },
        { heading: 'CONNECTIONS', cells: cells(({ connections }) => connections.join(', ')) },
        { heading: 'MAY', cells: cells(({ permissions }) => permissions.join(', ')) },
        {
          heading: 'EXPIRES IN',
          cells: cells(({ expires_at: end }) => (end === null ? '-' : timeLeft(end, view.now))),
          paint: (cell) => (cell === 'ended' ? view.paint.red(cell) : cell),
          spare: true,
        },
        { heading: 'LAST USED', cells: cells(({ last_used_at }) => last_used_at ?? '-'), spare: true },
        { heading: 'ISSUER', cells: cells(({ issuer }) => issuer), spare: true },
      ],
      view,
    )
  },

  next: ({ trusts }) => (trusts.length === 0 ? 'Next: authconn trusts create' : undefined),
})
