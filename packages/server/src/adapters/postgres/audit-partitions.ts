import { type RawBuilder, type Selectable, sql } from 'kysely'
import type { AuditStore } from '../../core/audit-port.ts'
import { toRow } from './audit-store.ts'
import type { Database, Tables } from './database.ts'

const monthsAhead = 2

/**
 * Asked for by name first: making one locks the whole log for a moment. It does not wait for a lock that somebody holds,
 * a backup say, since every record would wait behind it; then the next round tries again.
 */
export async function preparePartitions(db: Database): Promise<void> {
  const now = new Date()
  for (let ahead = 0; ahead <= monthsAhead; ahead++) {
    const from = monthOf(now, ahead)
    const name = nameOf(from)
    const { rows } = await sql<{ found: boolean }>`select to_regclass(${name}) is not null as found`.execute(db)
    if (rows[0]?.found) continue
    // A partition's bounds are part of its definition and take no parameters.
    await impatiently(db, (trx) =>
      sql`create table if not exists ${sql.table(name)} partition of audit_log
        for values from (${sql.lit(from.toISOString())}) to (${sql.lit(monthOf(from, 1).toISOString())})`.execute(
        trx,
      ),
    )
  }
}

export async function findPrunable(db: Database, months: number): ReturnType<AuditStore['findPrunable']> {
  const before = monthOf(new Date(), -months)
  const names = await oldPartitions(db, before)
  if (names.length === 0) return undefined
  const lasts = await lastOfEachStream(db, before)
  return {
    before,
    lasts: await Promise.all(
      lasts.map(async (last) => {
        const row = toRow(last)
        return { row, before: await rowBefore(db, row.stream, row.number) }
      }),
    ),
  }
}

export async function prune(db: Database, before: Date): Promise<void> {
  for (const name of await oldPartitions(db, before)) {
    await impatiently(db, (trx) => sql`drop table ${sql.table(name)}`.execute(trx))
  }
  await sql`delete from audit_log_default where at < ${before}`.execute(db)
}

/**
 * From stream to stream by the index: a busy month has some hundred million records in a few streams, and reading them all
 * takes longer than any query may.
 */
async function lastOfEachStream(db: Database, before: Date): Promise<Selectable<Tables['audit_log']>[]> {
  const next = (after: RawBuilder<unknown>) =>
    sql`(select stream from audit_log where at < ${before} and ${after} order by stream limit 1)`
  const { rows } = await sql<Selectable<Tables['audit_log']>>`
    with recursive streams as (
      ${next(sql`true`)}
      union all
      select ${next(sql`stream > streams.stream`)} from streams where stream is not null
    )
    select last.* from streams, lateral (
      select * from audit_log where stream = streams.stream and at < ${before} order by number desc limit 1
    ) last`.execute(db)
  return rows
}

async function rowBefore(db: Database, stream: string, number: number) {
  const row = await db
    .selectFrom('audit_log')
    .selectAll()
    .where('stream', '=', stream)
    .where('number', '=', String(number - 1))
    .executeTakeFirst()
  return row && toRow(row)
}

/** Fails rather than wait for a lock. */
function impatiently(db: Database, work: (trx: Database) => Promise<unknown>): Promise<unknown> {
  return db.transaction().execute(async (trx) => {
    await sql`set local lock_timeout = '500ms'`.execute(trx)
    return work(trx)
  })
}

/** Whole months before a moment, by their names. */
async function oldPartitions(db: Database, before: Date): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_inherits join pg_class on pg_class.oid = inhrelid
    where inhparent = 'audit_log'::regclass and relname ~ '^audit_log_\\d{4}_\\d{2}$'`.execute(db)
  return rows.map(({ name }) => name).filter((name) => name < nameOf(before))
}

function nameOf(month: Date): string {
  return `audit_log_${month.toISOString().slice(0, 7).replace('-', '_')}`
}

/** The first moment of a month in UTC, some months from a moment's own. */
function monthOf(moment: Date, ahead: number): Date {
  return new Date(Date.UTC(moment.getUTCFullYear(), moment.getUTCMonth() + ahead))
}
