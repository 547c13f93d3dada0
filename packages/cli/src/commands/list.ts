import { AuthconnError, type Connection } from '@authconn/sdk'
import { defineCommand } from '../command.ts'
import { duration, toggle } from '../flags.ts'
import { listConnections } from '../list-connections.ts'
import { connectionTable } from '../output/connection-table.ts'
import { watchList } from '../watch-list.ts'

export const list = defineCommand({
  flags: {
    watch: toggle('show it again as it changes, until Ctrl-C; with --json a line for each change'),
    interval: duration('how often --watch asks, 2s unless given', { from: 1, to: 3600 }),
  },
  examples: [
    ['authconn list', 'a table of all connections'],
    ['authconn list --watch', 'the same, kept up to date'],
    [
      `authconn list --json | jq -r '.connections[] | select(.status == "expired") | .name'`,
      'those to authorize again',
    ],
  ],

  async run(ctx, { watch, interval }): Promise<{ connections: Connection[] } | undefined> {
    if (interval !== undefined && !watch) throw new AuthconnError('usage', '--interval goes with --watch.')
    if (!watch) return { connections: await ctx.waitFor('Asking the vault', listConnections(ctx)) }
    try {
      await watchList(ctx, interval ?? 2)
    } catch (error) {
      // The way in which it is meant to end.
      if (!ctx.signal.aborted) throw error
    }
    return undefined
  },

  render: ({ connections }, view) => connectionTable(connections, view),

  next: ({ connections }) => (connections.length === 0 ? 'Next: authconn create' : undefined),
})
