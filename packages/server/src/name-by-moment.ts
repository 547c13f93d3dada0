/** A name for a caller that nobody has named: `admin-20260131-101530-123z`. */
export function nameByMoment(what: string): string {
  return `${what}-${new Date().toISOString().replace(/[-:]/g, '').replace(/[T.]/g, '-').toLowerCase()}`
}
