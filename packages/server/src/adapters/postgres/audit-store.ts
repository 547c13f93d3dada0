import { type Selectable, type SqlBool, sql } from 'kysely'
import type { AuditRow, AuditStore, Checkpoint } from '../../core/audit-port.ts'
import { appendAudit } from './append-audit.ts'
import { findPrunable, preparePartitions, prune } from './audit-partitions.ts'
import type { Database, Tables } from './database.ts'
import { isAmong } from './patterns.ts'

/** Rows read at a time when all are read. */
const pageSize = 5_000

export function createAuditStore(db: Database): AuditStore {
  return {
    append: (rows) => appendAudit(db, rows),
    preparePartitions: () => preparePartitions(db),
    findPrunable: (months) => findPrunable(db, months),
    prune: (before) => prune(db, before),

    async list(workspaceId, query, visible) {
      const [stream, number] = query.after?.split(':') ?? []
      const rows = await db
        .selectFrom('audit_log')
        .selectAll()
        .where('workspace_id', '=', workspaceId)
        .where((eb) =>
          eb.or([
            eb('actor', '=', visible.actor),
            eb.and([
              eb.or([
                isAmong('connection', visible.connections),
                ...(visible.connections.includes('*') && visible.subjects === null
                  ? [eb('connection', 'is', null)]
                  : []),
              ]),
              ...(visible.subjects === null
                ? []
                : [eb.or([eb('subject', 'is', null), isAmong('subject', ['', ...visible.subjects])])]),
            ]),
          ]),
        )
        .$if(query.since !== undefined, (q) => q.where('at', '>=', query.since ?? new Date()))
        .$if(query.until !== undefined, (q) => q.where('at', '<', query.until ?? new Date()))
        .$if(query.connection !== undefined, (q) => q.where('connection', '=', query.connection ?? ''))
        .$if(query.caller !== undefined, (q) => q.where('actor_name', '=', query.caller ?? ''))
        .$if(query.outcome !== undefined, (q) => q.where('outcome', '=', query.outcome ?? 'allowed'))
        .$if(stream !== undefined, (q) =>
          q.where(
            sql<SqlBool>`(at, stream, number) < (select at, stream, number from audit_log
              where stream = ${stream}::uuid and number = ${number}::bigint and workspace_id = ${workspaceId}
              order by at limit 1)`,
          ),
        )
        .orderBy('at', 'desc')
        .orderBy('stream', 'desc')
        .orderBy('number', 'desc')
        .limit(query.limit)
        .execute()
      return rows.map(toRow)
    },

    async *readAll() {
      let last: AuditRow | undefined
      for (;;) {
        const from = last
        const rows = await db
          .selectFrom('audit_log')
          .selectAll()
          .$if(from !== undefined, (q) =>
            q.where(
              sql<SqlBool>`(stream, number, at) > (${from?.stream}::uuid, ${from?.number}::bigint, ${from?.at}::timestamptz)`,
            ),
          )
          .orderBy('stream')
          .orderBy('number')
          .orderBy('at')
          .limit(pageSize)
          .execute()
        if (rows.length === 0) return
        const page = rows.map(toRow)
        last = page.at(-1)
        yield page
        if (page.length < pageSize) return
      }
    },

    async *readCheckpoints() {
      let last = 0
      for (;;) {
        const rows = await db
          .selectFrom('audit_checkpoints')
          .selectAll()
          .where('number', '>', String(last))
          .orderBy('number')
          .limit(pageSize)
          .execute()
        if (rows.length === 0) return
        const page = rows.map(toCheckpoint)
        last = page.at(-1)?.number ?? last
        yield page
      }
    },

    async findLastCheckpoint() {
      const row = await db
        .selectFrom('audit_checkpoints')
        .selectAll()
        .orderBy('number', 'desc')
        .limit(1)
        .executeTakeFirst()
      return row && toCheckpoint(row)
    },

    async findCheckpoint(number) {
      const row = await db
        .selectFrom('audit_checkpoints')
        .selectAll()
        .where('number', '=', String(number))
        .executeTakeFirst()
      return row && toCheckpoint(row)
    },

    async insertCheckpoint({ number, at, content, mac }) {
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('audit_checkpoints')
        .values({ number, at, content: JSON.stringify(content), mac })
        .onConflict((conflict) => conflict.column('number').doNothing())
        .executeTakeFirst()
      return numInsertedOrUpdatedRows === 1n
    },
  }
}

export function toRow(row: Selectable<Tables['audit_log']>): AuditRow {
  return {
    stream: row.stream,
    number: Number(row.number),
    at: row.at,
    workspaceId: row.workspace_id,
    actor: row.actor,
    actorName: row.actor_name,
    action: row.action,
    connection: row.connection,
    target: row.target,
    subject: row.subject,
    outcome: row.outcome,
    reason: row.reason,
    address: row.address,
    requestId: row.request_id,
    detail: row.detail,
    mac: row.mac,
  }
}

function toCheckpoint(row: Selectable<Tables['audit_checkpoints']>): Checkpoint {
  return { number: Number(row.number), at: row.at, content: row.content, mac: row.mac }
}
