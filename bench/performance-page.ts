import { existsSync, readFileSync } from 'node:fs'
import type { Scale } from './scale.ts'
import type { Aim } from './support/aims.ts'
import { resultsFile } from './support/keep-results.ts'
import type { machine } from './support/machine.ts'
import { median } from './support/median.ts'
import { subjectNames } from './token-fetch/render.ts'
import type { TokenFetch } from './token-fetch.ts'

const page = new URL('../docs/performance.md', import.meta.url)

/** The page with its tables as the kept results have them. What stands between two comments of a name is replaced. */
export function performancePage(): string {
  const blocks = {
    'token-fetch': block<TokenFetch>('token-fetch', tokenFetchBlock),
    scale: block<Scale>('scale', scaleBlock),
  }
  return Object.entries(blocks).reduce(
    (text, [name, content]) =>
      text.replace(
        new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`),
        (_, start: string, end: string) => `${start}\n${content}\n\n${end}`,
      ),
    readFileSync(page, 'utf8'),
  )
}

function block<Data>(name: string, render: (data: Omit<Data, 'samples'>) => string): string {
  const file = resultsFile(name)
  return existsSync(file) ? render(JSON.parse(readFileSync(file, 'utf8'))) : 'Not measured yet.'
}

function tokenFetchBlock({
  date,
  machine,
  ownCore,
  plan,
  table,
  aims,
  further,
}: Omit<TokenFetch, 'samples'>): string {
  const sharing = ownCore
    ? 'one for what was measured and the others for PostgreSQL and wrk'
    : 'shared by everything that was measured, PostgreSQL and wrk'
  return [
    `${provenance(date, machine, sharing, table)} Medians of ${plan.rounds} rounds of ${plan.seconds} seconds.`,
    ...plan.connections.flatMap((connections) => [
      '',
      `| ${connections === 1 ? '1 connection' : `${connections} connections`} | requests/s | of the bare route | × by hand | p50 | p99 | processor time each | cores: itself, PostgreSQL |`,
      '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
      ...table
        .filter((row) => row.connections === connections)
        .map(({ subject, perSecond, ofBare, timesHandWritten, p50, p99, usEach, cores }) =>
          cells([
            subjectNames[subject],
            perSecond,
            ofBare,
            timesHandWritten,
            `${p50} ms`,
            `${p99} ms`,
            `${usEach} µs`,
            `${cores.subject.toFixed(2)}, ${cores.postgres.toFixed(2)}`,
          ]),
        ),
    ]),
    '',
    ...aimsTable([
      ...aims.map((aim) => ({ ...aim, kind: 'promised' })),
      ...further.map((aim) => ({ ...aim, kind: 'hoped for' })),
    ]),
  ].join('\n')
}

function scaleBlock({ date, machine, plan, table, aims }: Omit<Scale, 'samples'>): string {
  return [
    `${provenance(date, machine, 'shared by everything that was measured, PostgreSQL and wrk', table)} Medians of ${plan.rounds} rounds of ${plan.seconds} seconds at ${plan.connections} connections.`,
    '',
    '| grants | audit records | vaults | requests/s | p50 | × fewest grants | p99 | processor time each | cores: vaults, PostgreSQL |',
    '| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...table.map(({ grants, auditRows, vaults, perSecond, p50, timesSmallest, p99, usEach, cores }) =>
      cells([
        grants.toLocaleString('en'),
        auditRows.toLocaleString('en'),
        vaults,
        perSecond,
        `${p50} ms`,
        timesSmallest,
        `${p99} ms`,
        `${usEach} µs`,
        `${cores.vaults.toFixed(2)}, ${cores.postgres.toFixed(2)}`,
      ]),
    ),
    '',
    ...aimsTable(aims.map((aim) => ({ ...aim, kind: 'promised' }))),
  ].join('\n')
}

function provenance(
  date: string,
  { node, platform, cpu, cores, memoryGb }: ReturnType<typeof machine>,
  sharing: string,
  table: { cores: { others: number } }[],
): string {
  const others = median(table.map((row) => row.cores.others)).toFixed(2)
  return `${date}, Node ${node} on ${platform}, ${cores} cores (${cpu}), ${sharing}, ${memoryGb} GB; others used ${others} cores meanwhile.`
}

function aimsTable(aims: (Aim & { kind: string })[]): string[] {
  return [
    '| | | aim | measured | |',
    '| --- | --- | ---: | ---: | --- |',
    ...aims.map(({ what, unit, bound, aim, measured, pass, kind }) =>
      cells([kind, what, `${bound} ${aim} ${unit}`.trim(), measured, pass ? 'met' : 'not met']),
    ),
  ]
}

function cells(values: (string | number)[]): string {
  return `| ${values.join(' | ')} |`
}
