import type { EventType } from '@authconn/shared'
import { type SqlBool, sql } from 'kysely'
import type { EventStore, Failure } from '../../core/grant-port.ts'
import type { Database } from './database.ts'
import { secondsFromNow } from './grant-sql.ts'
import { isAmong } from './patterns.ts'

export interface NewEvent {
  type: EventType
  data: Partial<Failure>
}

/** Writes events of a grant, in the transaction of what they tell of. */
export async function insertEvents(trx: Database, grantId: string, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return
  const types = events.map(({ type }) => type)
  const data = events.map(({ data: each }) => JSON.stringify(each))
  await sql`
    insert into events (id, workspace_id, connection_id, connection_name, grant_id, subject, type, data)
    select gen_random_uuid(), grants.workspace_id, connections.id, connections.name, grants.id, grants.subject,
      event.type, event.data::jsonb
    from grants
    join connections on connections.id = grants.connection_id
    cross join unnest(${types}::text[], ${data}::text[]) as event (type, data)
    where grants.id = ${grantId}`.execute(trx)
}

export function createEventStore(db: Database): EventStore {
  return {
    async list(connectionId, subjects, { limit, after, subject }) {
      const rows = await db
        .selectFrom('events')
        .select(['id', 'type', 'connection_name', 'subject', 'data', 'created_at'])
        .where('connection_id', '=', connectionId)
        .$if(subjects !== null, (query) => query.where(isAmong('subject', ['', ...(subjects ?? [])])))
        .$if(subject !== undefined, (query) => query.where('subject', '=', subject ?? ''))
        .$if(after !== undefined, (query) =>
          query.where(
            sql<SqlBool>`(created_at, id) < (select created_at, id from events where id = ${after} and connection_id = ${connectionId})`,
          ),
        )
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .limit(limit)
        .execute()
      return rows.map((row) => ({
        id: row.id,
        type: row.type,
        connectionName: row.connection_name,
        subject: row.subject,
        at: row.created_at,
        code: row.data.code ?? null,
        class: row.data.class ?? null,
        detail: row.data.detail ?? null,
      }))
    },

    async purge(seconds) {
      const { numDeletedRows } = await db
        .deleteFrom('events')
        .where('created_at', '<', secondsFromNow(-seconds))
        .executeTakeFirst()
      return Number(numDeletedRows)
    },
  }
}
