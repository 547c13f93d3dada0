import type { Workspace } from '@authconn/shared'
import { defineCommand } from '../../command.ts'
import { followPages } from '../../follow-pages.ts'
import { table } from '../../output/table.ts'
import { asOperator } from '../../workspaces/as-operator.ts'

export const listWorkspaces = defineCommand({
  description:
    'Takes the key of an operator: AUTHCONN_API_KEY, or what authconn-server operator-key left on this machine.',
  flags: {},
  examples: [['authconn workspaces list', 'their names and ids']],

  async run(ctx): Promise<{ workspaces: Workspace[] }> {
    const { signal } = ctx
    const workspaces = asOperator(ctx, (vault) =>
      followPages(async (after) => {
        const page = await vault.call('listWorkspaces', { query: { limit: 200, ...after } }, { signal })
        return { items: page.workspaces, next: page.next }
      }),
    )
    return { workspaces: await ctx.waitFor('Asking the vault', workspaces) }
  },

  render: ({ workspaces }, view) =>
    table(
      [
        { heading: 'NAME', cells: workspaces.map(({ name }) => name), whole: true },
        { heading: 'CREATED', cells: workspaces.map(({ created_at }) => created_at) },
        { heading: 'ID', cells: workspaces.map(({ id }) => id) },
      ],
      view,
    ),
})
