import type { AuditRecord } from '@authconn/shared'
import { plainLine } from './plain.ts'
import { table } from './table.ts'
import type { View } from './view.ts'

interface AuditColumn {
  heading: string
  /** Where lines are printed before the next ones are known: what nearly all fit into. */
  width: number
  cell(record: AuditRecord): string | null
}

const columns: readonly AuditColumn[] = [
  { heading: 'WHEN', width: 24, cell: ({ at }) => at },
  { heading: 'OUTCOME', width: 7, cell: ({ outcome }) => outcome },
  { heading: 'CALLER', width: 16, cell: ({ actor_name: name, actor }) => name ?? actor },
  { heading: 'ACTION', width: 16, cell: ({ action }) => action },
  { heading: 'CONNECTION', width: 16, cell: ({ connection }) => connection },
  { heading: 'SUBJECT', width: 12, cell: ({ subject }) => subject },
  { heading: 'REASON', width: 20, cell: reasonOf },
  { heading: 'ADDRESS', width: 15, cell: ({ address }) => address },
]

/** Of a token that was refused why, which its error code does not tell on purpose. */
function reasonOf({ reason, detail }: AuditRecord): string | null {
  return detail?.why === undefined ? reason : [detail.why, detail.claim].filter(Boolean).join(' ')
}

/** Records in the order given. */
export function auditTable(records: readonly AuditRecord[], view: View): string {
  return table(
    columns.map(({ heading, cell }) => ({
      heading,
      cells: records.map((record) => cell(record) ?? '-'),
      ...(heading === 'OUTCOME' ? { paint: paintOutcome(view) } : {}),
      ...(heading === 'WHEN' ? { whole: true as const } : {}),
    })),
    view,
  )
}

/** The heading over lines that come one by one. */
export function auditHeading({ paint }: View): string {
  return columns.map(({ heading, width }) => paint.bold(heading.padEnd(width))).join('  ')
}

export function auditLine(record: AuditRecord, view: View): string {
  return columns
    .map(({ heading, width, cell }) => {
      const words = plainLine(cell(record) ?? '-')
      const painted = heading === 'OUTCOME' ? paintOutcome(view)(words) : words
      return painted + ' '.repeat(Math.max(0, width - words.length))
    })
    .join('  ')
    .trimEnd()
}

function paintOutcome({ paint }: View): (outcome: string) => string {
  const paints = new Map<string, (words: string) => string>([
    ['allowed', paint.green],
    ['denied', paint.red],
    ['failed', paint.yellow],
  ])
  return (outcome) => paints.get(outcome)?.(outcome) ?? outcome
}
