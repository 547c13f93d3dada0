import { type Kysely, sql } from 'kysely'
import { AuthconnError } from '../../../core/errors.ts'
import { dataKeyOf } from './sealed-with.ts'

/**
 * Says which values name a data key that is not there, before the database refuses a whole table for one of them. Resolves
 * where there are none. Throws sealed_value_damaged.
 */
export async function refuseValuesWithoutKey(
  db: Kysely<unknown>,
  sealed: readonly { table: string; columns: readonly string[] }[],
): Promise<void> {
  const found: string[] = []
  for (const { table, column } of sealed.flatMap(({ table, columns }) =>
    columns.map((column) => ({ table, column })),
  )) {
    const { rows } = await sql<{ id: string }>`select id::text from ${sql.table(table)}
      where ${dataKeyOf(column)} is not null and ${dataKeyOf(column)} not in (select id from data_keys) order by id limit ${mostNamed}`.execute(
      db,
    )
    found.push(...rows.map(({ id }) => `${table}.${column} of the row with the id ${id}`))
  }
  if (found.length === 0) return
  const named = found.slice(0, mostNamed).join(', ')
  throw new AuthconnError(
    'sealed_value_damaged',
    `Not migrated, as the data key that a value names does not exist: ${named}${found.length > mostNamed ? ' and more' : ''}. Restore the value or its data key from a backup. Where there is none, what it held is lost: set it to null or, where that is refused, delete the row. Then start again.`,
  )
}

const mostNamed = 10
