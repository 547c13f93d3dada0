import type { Connection } from '@authconn/sdk'
import { accountOf, expiryOf, paintStatus, providerOf } from './connection.ts'
import { table } from './table.ts'
import type { View } from './view.ts'

export function connectionTable(connections: readonly Connection[], view: View): string {
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
}
