import type { Connection } from '@authconn/sdk'
import { defineCommand } from '../command.ts'
import { listConnections } from '../list-connections.ts'
import { accountOf, expiryOf, paintStatus, providerOf } from '../output/connection.ts'
import { table } from '../output/table.ts'

export const list = defineCommand({
  flags: {},
  examples: [
    ['authconn list', 'a table of all connections'],
    [
      `authconn list --json | jq -r '.connections[] | select(.status == "expired") | .name'`,
      'those to authorize again',
    ],
  ],

  async run(ctx): Promise<{ connections: Connection[] }> {
    return { connections: await ctx.waitFor('Asking the vault', listConnections(ctx)) }
  },

  render({ connections }, view) {
    if (connections.length === 0) return 'There are no connections yet.'
    const cells = (of: (connection: Connection) => string) => connections.map(of)
    const known = connections.some(({ account }) => account !== null)
    const failing = connections.some(({ last_error }) => last_error !== null)
    return table(
      [
        { heading: 'NAME', cells: cells(({ name }) => name), whole: true },
        { heading: 'PROVIDER', cells: cells(providerOf) },
        ...(known ? [{ heading: 'ACCOUNT', cells: cells((connection) => accountOf(connection) ?? '-') }] : []),
        { heading: 'STATUS', cells: cells(({ status }) => status), paint: paintStatus(view) },
        { heading: 'EXPIRES IN', cells: cells((connection) => expiryOf(connection, view)) },
        {
          heading: 'REFRESH',
          cells: cells(({ status, refreshable }) => (status !== 'active' ? '-' : refreshable ? 'yes' : 'no')),
        },
        ...(failing ? [{ heading: 'LAST ERROR', cells: cells(({ last_error }) => last_error?.code ?? '-') }] : []),
      ],
      view,
    )
  },

  next: ({ connections }) => (connections.length === 0 ? 'Next: authconn create' : undefined),
})
