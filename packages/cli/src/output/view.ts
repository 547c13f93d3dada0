import type { Io } from '../run-cli.ts'
import { type Paint, paintFor } from './paint.ts'

/** What the wording of a result may depend on besides the result. */
export interface View {
  now: Date
  paint: Paint
  /** Columns of the terminal; undefined where there is none, and so no line is too long. */
  width?: number | undefined
}

export function viewFor({ stdout, env }: Pick<Io, 'stdout' | 'env'>): View {
  const width =
    stdout.isTTY === true && stdout.columns !== undefined && stdout.columns > 0 ? stdout.columns : undefined
  return { now: new Date(), paint: paintFor(stdout, env), width }
}
