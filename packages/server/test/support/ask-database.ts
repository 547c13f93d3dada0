import pg from 'pg'

/** The rows that one statement gives, over a connection of its own. */
export async function askDatabase(
  url: string,
  statement: string,
  parameters: unknown[] = [],
): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(statement, parameters)).rows
  } finally {
    await client.end()
  }
}
