import { CompiledQuery } from 'kysely'
import type { AuditRow } from '../../core/audit-port.ts'
import type { Database } from './database.ts'
import { often } from './often.ts'

/*
 * The statement of every answer, so it is written once and by hand: one array a column, however many rows. All or none
 * of them are there afterwards, and durable: the commit is the statement's own.
 */
const text = often(`insert into audit_log (stream, number, at, workspace_id, actor, actor_name, action, connection,
    target, subject, outcome, reason, address, request_id, mac)
  select * from unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::uuid[], $5::uuid[], $6::text[], $7::text[],
    $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::bytea[])`)

export async function appendAudit(db: Database, rows: readonly AuditRow[]): Promise<void> {
  if (rows.length === 0) return
  await db.executeQuery(
    CompiledQuery.raw(text, [
      rows.map((row) => row.stream),
      rows.map((row) => row.number),
      rows.map((row) => row.at.toISOString()),
      rows.map((row) => row.workspaceId),
      rows.map((row) => row.actor),
      rows.map((row) => row.actorName),
      rows.map((row) => row.action),
      rows.map((row) => row.connection),
      rows.map((row) => row.target),
      rows.map((row) => row.subject),
      rows.map((row) => row.outcome),
      rows.map((row) => row.reason),
      rows.map((row) => row.address),
      rows.map((row) => row.requestId),
      rows.map((row) => row.mac),
    ]),
  )
}
