import { CompiledQuery } from 'kysely'
import type { AuditRow } from '../../core/audit-port.ts'
import { arrayText } from './array-text.ts'
import type { Database } from './database.ts'
import { often } from './often.ts'

/*
 * The statement of every answer, so it is written once and by hand: one array a column, however many rows. All or none
 * of them are there afterwards, and durable: the commit is the statement's own. They are of one stream and follow each
 * other in it.
 */
const text = often(`insert into audit_log (stream, number, at, workspace_id, actor, actor_name, action, connection,
    target, subject, outcome, reason, address, request_id, mac, detail)
  select $1::uuid, $2::bigint + n - 1, at, workspace_id, actor, actor_name, action, connection, target, subject, outcome,
    reason, address, request_id, mac, detail
  from unnest($3::timestamptz[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
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
      arrayText(rows.map((row) => row.at.toISOString())),
      arrayText(rows.map((row) => row.workspaceId)),
      arrayText(rows.map((row) => row.actor)),
      arrayText(rows.map((row) => row.actorName)),
      arrayText(rows.map((row) => row.action)),
      arrayText(rows.map((row) => row.connection)),
      arrayText(rows.map((row) => row.target)),
      arrayText(rows.map((row) => row.subject)),
      arrayText(rows.map((row) => row.outcome)),
      arrayText(rows.map((row) => row.reason)),
      arrayText(rows.map((row) => row.address)),
      arrayText(rows.map((row) => row.requestId)),
      arrayText(rows.map((row) => row.mac)),
      arrayText(rows.map((row) => row.detail)),
    ]),
  )
}
