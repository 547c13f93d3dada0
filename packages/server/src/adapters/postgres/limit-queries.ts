import type { PostgresPool } from 'kysely'
import type { Pool, PoolClient } from 'pg'

/**
 * A pool whose queries fail when no answer comes in time, and whose connection goes with them: a database that vanished
 * without a word would otherwise hold requests and connections for as long as TCP tries. The limit is kept here and not
 * by a setting of the session, which a transaction-mode pooler would not carry.
 */
export function limitQueries(pool: Pool, milliseconds: number): PostgresPool {
  return {
    options: pool.options,
    connect: async () => limitClient(await pool.connect(), milliseconds),
    end: () => pool.end(),
  }
}

function limitClient(client: PoolClient, milliseconds: number): PoolClient {
  let silent: DatabaseSilent | undefined
  // Kysely queries with text and parameters; its other form, a cursor, needs a dialect that is told of cursors.
  async function query(text: string, parameters: unknown[]) {
    const timer = setTimeout(() => {
      silent = new DatabaseSilent(`The database gave no answer in ${milliseconds} ms`)
      // An error makes the pool forget the connection and end it, which fails the query that runs on it. The driver's
      // own query_timeout would give it back to the pool, where the next query waits behind the lost one.
      client.release(silent)
    }, milliseconds)
    try {
      return await client.query(text, parameters)
    } catch (error) {
      throw silent ?? error
    } finally {
      clearTimeout(timer)
    }
  }
  const limited = {
    query,
    release(destroy?: boolean) {
      if (!silent) client.release(destroy)
    },
  }
  return new Proxy(client, {
    get: (target, name) => Reflect.get(Object.hasOwn(limited, name) ? limited : target, name),
  })
}

/** A query had no answer in time; whether it was carried out is unknown. */
export class DatabaseSilent extends Error {
  override readonly name = 'DatabaseSilent'
}
