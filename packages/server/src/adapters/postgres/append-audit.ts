import { CompiledQuery } from 'kysely'
import type { AuditRow } from '../../core/audit-port.ts'
import { arrayText, bytesArrayText } from './array-text.ts'
import type { Database } from './database.ts'
import { often } from './often.ts'

/*
 * The statement of every answer, so it is written once and by hand: one array a column, however many rows. All or none
 * of them are there afterwards, and durable: the commit is the statement's own. They are of one stream and follow each
 * other in it. Times come in milliseconds, which are read faster than words.
 */
const text = often(`insert into audit_log (stream, number, at, workspace_id, actor, actor_name, action, connection,
    target, subject, outcome, reason, address, request_id, mac, detail)
  select $1::uuid, $2::bigint + n - 1, to_timestamp(at / 1000), workspace_id, actor, actor_name, action, connection,
    target, subject, outcome, reason, address, request_id, mac, detail
  from unnest($3::float8[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
    $11::text[], $12::text[], $13::text[], $14::text[], $15::bytea[], $16::text[])
    with ordinality
    as appended (at, workspace_id, actor, actor_name, action, connection, target, subject, outcome, reason, address,
      request_id, mac, detail, n)`)

export async function appendAudit(db: Database, rows: readonly AuditRow[]): Promise<void> {
  const [first] = rows
  if (!first) return
  await db.executeQuery(
    CompiledQuery.raw(text, [
      first.stream,
      first.number,
      arrayText(rows.map((row) => row.at.getTime())),
      column(rows, (row) => row.workspaceId),
      column(rows, (row) => row.actor),
      column(rows, (row) => row.actorName),
      column(rows, (row) => row.action),
      column(rows, (row) => row.connection),
      column(rows, (row) => row.target),
      column(rows, (row) => row.subject),
      column(rows, (row) => row.outcome),
      column(rows, (row) => row.reason),
      column(rows, (row) => row.address),
      column(rows, (row) => row.requestId),
      bytesArrayText(rows.map((row) => Buffer.from(row.mac).toString('hex'))),
      column(rows, (row) => row.detail),
    ]),
  )
}

/** null for a column of nothing but nulls: unnest fills up what is shorter. */
function column(rows: readonly AuditRow[], of: (row: AuditRow) => string | null): string | null {
  const values = rows.map(of)
  return values.every((value) => value === null) ? null : arrayText(values)
}
