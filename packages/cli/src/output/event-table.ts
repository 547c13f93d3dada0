import type { Event } from '@authconn/shared'
import { table } from './table.ts'
import type { View } from './view.ts'

/** What happened to the grants of a connection, in the order given. */
export function eventTable(events: readonly Event[], view: View): string {
  if (events.length === 0) return 'Nothing has happened to it, or not since events are kept.'
  const cells = (of: (event: Event) => string | null) => events.map((event) => of(event) ?? '-')
  return table(
    [
      { heading: 'WHEN', cells: cells(({ at }) => at), whole: true },
      { heading: 'EVENT', cells: cells(({ type }) => type), paint: paintEvent(view) },
      { heading: 'SUBJECT', cells: cells(({ subject }) => subject) },
      { heading: 'ERROR', cells: cells(errorOf) },
      { heading: 'DETAIL', cells: cells(({ detail }) => detail) },
    ],
    view,
  )
}

function errorOf(event: Event): string | null {
  return event.code !== null && event.class !== null ? `${event.code} (${event.class})` : event.code
}

function paintEvent({ paint }: View): (type: string) => string {
  const paints = new Map<string, (words: string) => string>([
    ['grant.recovered', paint.green],
    ['grant.refresh_failed', paint.yellow],
    ['grant.expired', paint.red],
    ['grant.revoked', paint.red],
  ])
  return (type) => paints.get(type)?.(type) ?? type
}
