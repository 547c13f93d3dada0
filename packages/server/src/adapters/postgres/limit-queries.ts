import type { PostgresPool } from 'kysely'
import type { Pool, PoolClient, QueryConfig, QueryResult } from 'pg'
import { nameOf } from './often.ts'

/**
 * A pool whose queries fail when no answer comes in time, and whose connection goes with them: a database that vanished
 * without a word would otherwise hold requests and connections for as long as TCP tries. The limit is kept here and not
 * by a setting of the session, which a transaction-mode pooler would not carry.
 */
export function limitQueries(pool: Pool, milliseconds: number): PostgresPool {
  const queryPrepared = createQueryPrepared()
  // One for each connection, and not for each time that it is used: Kysely keeps what it is given by its identity.
  const limited = new WeakMap<PoolClient, PoolClient>()
  return {
    options: pool.options,
    async connect() {
      const client = await pool.connect()
      const known = limited.get(client)
      if (known) return known
      const limitedClient = limitClient(client, milliseconds, queryPrepared)
      limited.set(client, limitedClient)
      return limitedClient
    },
    end: () => pool.end(),
  }
}

function limitClient(client: PoolClient, milliseconds: number, query: Query): PoolClient {
  let silent: DatabaseSilent | undefined
  // Kysely queries with text and parameters; its other form, a cursor, needs a dialect that is told of cursors.
  async function limitedQuery(text: string, parameters: unknown[]) {
    const timer = setTimeout(() => {
      silent = new DatabaseSilent(`The database gave no answer in ${milliseconds} ms`)
      // An error makes the pool forget the connection and end it, which fails the query that runs on it. The driver's
      // own query_timeout would give it back to the pool, where the next query waits behind the lost one.
      client.release(silent)
    }, milliseconds)
    try {
      return await query(client, text, parameters)
    } catch (error) {
      throw silent ?? error
    } finally {
      clearTimeout(timer)
    }
  }
  const limited = {
    query: limitedQuery,
    release(destroy?: boolean) {
      if (!silent) client.release(destroy)
    },
  }
  return new Proxy(client, {
    get: (target, name) => Reflect.get(Object.hasOwn(limited, name) ? limited : target, name),
  })
}

type Query = (client: PoolClient, text: string, parameters: unknown[]) => Promise<QueryResult>

/** 26000: it is not there; 42P05: it is there already; 0A000: it was planned before a migration. */
const isAboutPreparing = /^(26000|42P05|0A000)$/

/**
 * Prepares what is marked as often used. A pooler that does not know of that (PgBouncer before 1.21) gives a statement to
 * a server connection where another one prepared it, or nobody. Then nothing is prepared any more, and the statement,
 * which was not carried out, is sent as it is.
 */
function createQueryPrepared(): Query {
  let mayPrepare = true
  return async function queryPrepared(client, text, values) {
    const name = mayPrepare ? nameOf(text) : undefined
    if (name === undefined) return query(client, { text, values })
    try {
      return await query(client, { name, text, values })
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && isAboutPreparing.test(String(error.code)))) throw error
      mayPrepare = false
      return query(client, { text, values })
    }
  }
}

/**
 * By the driver's callback: the promise that it makes by itself keeps a query, its parameters and its rows alive until
 * the next full collection, for as long as queries follow each other without a pause (decision 0047).
 */
function query(client: PoolClient, config: QueryConfig): Promise<QueryResult> {
  return new Promise((resolve, reject) => {
    client.query(config, (error: Error | null, result) => {
      if (error) reject(error)
      else resolve(result)
    })
  })
}

/** A query had no answer in time; whether it was carried out is unknown. */
export class DatabaseSilent extends Error {
  override readonly name = 'DatabaseSilent'
}
