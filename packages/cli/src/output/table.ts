import { plainLine } from './plain.ts'
import type { View } from './view.ts'

/** Columns of aligned text under a heading. A cell may be painted by its column. */
export function table(columns: readonly Column[], view: View): string {
  const widths = columns.map(({ heading, cells }) =>
    Math.max(heading.length, ...cells.map((c) => plainLine(c).length)),
  )
  const line = (cellOf: (column: Column) => string, paintOf: (column: Column, cell: string) => string) =>
    columns
      .map((column, at) => {
        const cell = plainLine(cellOf(column))
        const padding = at === columns.length - 1 ? '' : ' '.repeat((widths[at] ?? 0) - cell.length)
        return paintOf(column, cell) + padding
      })
      .join('  ')
      .trimEnd()
  const rows = columns[0]?.cells.map((_, row) =>
    line(
      ({ cells }) => cells[row] ?? '',
      ({ paint }, cell) => (paint ? paint(cell) : cell),
    ),
  )
  return [
    line(
      ({ heading }) => heading,
      (_, cell) => view.paint.bold(cell),
    ),
    ...(rows ?? []),
  ].join('\n')
}

export interface Column {
  heading: string
  cells: readonly string[]
  paint?: (cell: string) => string
}

/** Labels and what belongs to each; lines without a value are left out. */
export function details(
  lines: readonly (readonly [label: string, value: string | null | undefined])[],
  view: View,
): string {
  const known = lines.flatMap(([label, value]) =>
    value === null || value === undefined ? [] : [{ label, value }],
  )
  const width = Math.max(...known.map(({ label }) => label.length))
  return known
    .map(({ label, value }) => `  ${view.paint.dim(label.padEnd(width))}  ${plainLine(value)}`)
    .join('\n')
}
