import { fold } from './fold.ts'
import { plainLine } from './plain.ts'
import type { View } from './view.ts'

const gap = '  '
/** A column that is cut shows this much at least, of a heading or a cell that has as much. */
const least = 8

/**
 * Columns of aligned text under a heading. A cell may be painted by its column. Where the terminal is too narrow, columns
 * that can be spared go first, then the widest ones are cut; where that would leave too little of them, each row becomes
 * a list of its cells.
 */
export function table(given: readonly Column[], view: View): string {
  const columns = view.width === undefined ? given : spare(given, view.width)
  const natural = columns.map(naturalWidth)
  const widths = view.width === undefined ? natural : fit(columns, natural, view.width)
  if (widths === undefined) return records(given, view)
  const line = (cellOf: (column: Column) => string, paintOf: (column: Column, cell: string) => string) =>
    columns
      .map((column, at) => {
        const cell = cut(plainLine(cellOf(column)), widths[at] ?? 0)
        const padding = at === columns.length - 1 ? '' : ' '.repeat((widths[at] ?? 0) - cell.length)
        return paintOf(column, cell) + padding
      })
      .join(gap)
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
  /** Never cut: half a name names nothing. */
  whole?: true
  /** Left out before another column is cut. One with nothing in it always is. */
  spare?: true
}

/** Without columns that can be spared, the last of them first, as far as the others then fit. */
function spare(columns: readonly Column[], width: number): readonly Column[] {
  const total = columns.reduce((sum, column) => sum + naturalWidth(column), gap.length * (columns.length - 1))
  if (total <= width) return columns
  const last = columns.findLastIndex(
    (column) => column.spare === true || column.cells.every((cell) => cell === '-'),
  )
  return last === -1 ? columns : spare(columns.toSpliced(last, 1), width)
}

function naturalWidth({ heading, cells }: Column): number {
  return Math.max(heading.length, ...cells.map((cell) => plainLine(cell).length))
}

/** The widest of the columns that may be cut give way first; undefined when that is not enough. */
function fit(columns: readonly Column[], natural: readonly number[], width: number): number[] | undefined {
  const widths = [...natural]
  const room = width - gap.length * (columns.length - 1)
  for (let excess = widths.reduce((sum, each) => sum + each, 0) - room; excess > 0; excess--) {
    let widest: number | undefined
    for (const [at, column] of columns.entries()) {
      const floor = Math.max(least, column.heading.length)
      const mayShrink = column.whole !== true && (widths[at] ?? 0) > floor
      if (mayShrink && (widest === undefined || (widths[at] ?? 0) > (widths[widest] ?? 0))) widest = at
    }
    if (widest === undefined) return undefined
    widths[widest] = (widths[widest] ?? 0) - 1
  }
  return widths
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`
}

function records(columns: readonly Column[], view: View): string {
  const rows = columns[0]?.cells ?? []
  return rows
    .map((_, row) =>
      details(
        columns.map(({ heading, cells, paint }) => [heading.toLowerCase(), cells[row] || null, paint]),
        view,
      ),
    )
    .join('\n\n')
}

export type DetailLine = readonly [
  label: string,
  value: string | null | undefined,
  paint?: ((words: string) => string) | undefined,
]

/** Labels and what belongs to each, folded where the terminal ends; lines without a value are left out. */
export function details(lines: readonly DetailLine[], view: View): string {
  const known = lines.flatMap(([label, value, paint = (words: string) => words]) =>
    value === null || value === undefined ? [] : [{ label, value, paint }],
  )
  const width = Math.max(...known.map(({ label }) => label.length))
  const indent = ' '.repeat(2 + width + gap.length)
  return known
    .map(({ label, value, paint }) => {
      const folded = fold(plainLine(value), view.width === undefined ? undefined : view.width - indent.length)
      return `  ${view.paint.dim(label.padEnd(width))}${gap}${folded.map(paint).join(`\n${indent}`)}`
    })
    .join('\n')
}
