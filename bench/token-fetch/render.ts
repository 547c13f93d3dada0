import { renderAim } from '../support/aims.ts'
import type { TokenFetch } from '../token-fetch.ts'
import type { SubjectName } from './subjects.ts'

export const subjectNames: Record<SubjectName, string> = {
  bare: 'bare Fastify route',
  handWritten: 'hand-written route',
  handWrittenPrepared: 'the same, prepared',
  vault: 'vault on PostgreSQL',
  vaultOnPglite: 'vault on PGlite',
}

/** The measurements as a person reads them. */
export function renderTokenFetch({ machine, ownCore, plan, table, aims, further }: TokenFetch): string {
  const columns = [
    'requests/s',
    'of bare',
    '× by hand',
    'p50 ms',
    'p99 ms',
    'µs each',
    'itself',
    'PostgreSQL',
    'wrk',
    'others',
  ]
  const line = (label: string, cells: (string | number)[]) =>
    [label.padEnd(22), ...cells.map((cell) => String(cell).padStart(11))].join('')
  return [
    `Node ${machine.node} on ${machine.platform}, ${machine.cores} × ${machine.cpu}, ${machine.memoryGb} GB`,
    ownCore
      ? 'What is measured has a core of its own; PostgreSQL and wrk have the others'
      : 'What is measured shares its cores with PostgreSQL and wrk',
    `Medians of ${plan.rounds} rounds of ${plan.seconds} s; µs of processor for each; on the right, cores that were used`,
    ...plan.connections.flatMap((connections) => [
      '',
      line(connections === 1 ? '1 connection' : `${connections} connections`, columns),
      ...table
        .filter((row) => row.connections === connections)
        .map(({ subject, perSecond, ofBare, timesHandWritten, p50, p99, usEach, cores }) =>
          line(subjectNames[subject], [
            perSecond,
            ofBare,
            timesHandWritten,
            p50,
            p99,
            usEach,
            ...[cores.subject, cores.postgres, cores.wrk, cores.others].map((each) => each.toFixed(2)),
          ]),
        ),
    ]),
    '',
    ...aims.map(renderAim),
    ...further.map((aim) => renderAim(aim).replace(/^MISS/, 'not ')).map((text) => text.replace(/^pass/, 'even')),
  ].join('\n')
}
