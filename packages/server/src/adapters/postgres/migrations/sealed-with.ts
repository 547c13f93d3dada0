import { type RawBuilder, sql } from 'kysely'

/**
 * Statements that have the database itself know with which data key each value of a sealed column was sealed, in a column
 * beside it that it reads from the value: then no data key can go that something is sealed with, nothing can be written that
 * is sealed with a key that is gone, and what is sealed with which key is found without reading the table. Every column of
 * places.ts needs one. Used by released migrations: never changed.
 */
export function knowDataKeysOf(table: string, columns: readonly string[]): RawBuilder<unknown>[] {
  const added = columns.map(
    (column) => sql`add column ${sql.ref(`${column}_data_key`)} uuid
      generated always as (${dataKeyOf(column)}) stored references data_keys (id)`,
  )
  return [
    sql`alter table ${sql.table(table)} ${sql.join(added)}`,
    ...columns.map(
      (column) => sql`create index ${sql.ref(`${table}_${column}_data_key`)}
        on ${sql.table(table)} (${sql.ref(`${column}_data_key`)}, id)`,
    ),
  ]
}

/** Bytes 2 to 17 of a value in format version 1 (docs/sealed-values.md); null where there is no such value. */
export function dataKeyOf(column: string): RawBuilder<unknown> {
  const value = sql.ref(column)
  return sql`case when length(${value}) >= 45 and get_byte(${value}, 0) = 1
    then encode(substring(${value} from 2 for 16), 'hex')::uuid end`
}
