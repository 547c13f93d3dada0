import { hash } from 'node:crypto'

const names = new Map<string, string>()

/** Marks a statement of the hot path, which the driver is to have prepared once in each connection. */
export function often(text: string): string {
  names.set(text, `authconn_${hash('sha256', text).slice(0, 16)}`)
  return text
}

/** The name by which that statement is prepared; undefined for all others. */
export function nameOf(text: string): string | undefined {
  return names.get(text)
}
