import { askDatabase } from './ask-database.ts'

/** Every row of every table, as a client reads it: what the server compresses in its files is plain here. */
export async function dumpDatabase(url: string): Promise<Buffer> {
  const parts: Buffer[] = []
  const tables = "select tablename from pg_tables where schemaname = 'public' order by 1"
  for (const { tablename } of await askDatabase(url, tables)) {
    for (const row of await askDatabase(url, `select * from "${tablename}"`)) {
      for (const [column, value] of Object.entries(row)) {
        parts.push(Buffer.from(`\n${tablename}.${column}=`))
        parts.push(
          Buffer.isBuffer(value) ? value : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
        )
      }
    }
  }
  return Buffer.concat(parts)
}
