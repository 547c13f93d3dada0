import { randomBytes } from 'node:crypto'
import pg from 'pg'

/** A database beside the one at `serverUrl`, with a random name. Neither creates nor drops it by itself. */
export function temporaryDatabase(serverUrl: string) {
  const name = `authconn_test_${randomBytes(6).toString('hex')}`
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return {
    url: url.href,
    create: () => execute(serverUrl, `create database ${name}`),
    // Forced, so that a suite that failed to close its connections fails alone.
    drop: () => execute(serverUrl, `drop database if exists ${name} with (force)`),
    name,
    /** Runs statements in it, over a connection of their own. */
    execute: (statements: string) => execute(url.href, statements),
  }
}

async function execute(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
