import type { Page } from '../core/ports.ts'

const defaultLimit = 100

/** Reads one more row than asked for, to know whether there is a next page. */
export function toPage(query: { limit?: number; after?: string }): { page: Page; limit: number } {
  const limit = query.limit ?? defaultLimit
  return { limit, page: { limit: limit + 1, after: query.after } }
}

/** The rows of this page, and the key of the last one when more follow. */
export function cutPage<T>(rows: T[], limit: number, key: (row: T) => string): { rows: T[]; next: string | null } {
  if (rows.length <= limit) return { rows, next: null }
  const kept = rows.slice(0, limit)
  const last = kept.at(-1)
  return { rows: kept, next: last === undefined ? null : key(last) }
}
