import type { Scale } from '../scale.ts'
import { renderAim } from '../support/aims.ts'

/** The measurements as a person reads them. */
export function renderScale({ machine, plan, table, aims }: Scale): string {
  const columns = [
    'audit rows',
    'vaults',
    'requests/s',
    'p50 ms',
    'p99 ms',
    '× smallest',
    'µs each',
    'vaults',
    'PostgreSQL',
    'wrk',
    'others',
  ]
  const line = (label: string, cells: (string | number)[]) =>
    [label.padStart(9), ...cells.map((cell) => String(cell).padStart(12))].join('')
  return [
    `Node ${machine.node} on ${machine.platform}, ${machine.cores} × ${machine.cpu}, ${machine.memoryGb} GB`,
    `Medians of ${plan.rounds} rounds of ${plan.seconds} s at ${plan.connections} connections; µs of processor for each; on the right, cores that were used`,
    '',
    line('grants', columns),
    ...table.map(({ grants, auditRows, vaults, perSecond, p50, p99, timesSmallest, usEach, cores }) =>
      line(String(grants), [
        auditRows,
        vaults,
        perSecond,
        p50,
        p99,
        timesSmallest,
        usEach,
        ...[cores.vaults, cores.postgres, cores.wrk, cores.others].map((each) => each.toFixed(2)),
      ]),
    ),
    '',
    ...aims.map(renderAim),
  ].join('\n')
}
