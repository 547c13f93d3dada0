import { CompiledQuery } from 'kysely'
import type { Database } from '../../src/adapters/postgres/database.ts'

/** Runs a statement with its parameters as they are, `$1` and on; several statements when there are none. */
export async function runSql<Row>(db: Database, text: string, parameters: unknown[] = []): Promise<Row[]> {
  return (await db.executeQuery<Row>(CompiledQuery.raw(text, parameters))).rows
}
