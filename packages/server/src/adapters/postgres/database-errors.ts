import { DataKeyGone } from '../../core/persist-sealed.ts'
import { DatabaseSilent } from './limit-queries.ts'

const connectionCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
])

/** What node-postgres says, without a code, when a connection ended under it or could not be had in time. */
const connectionMessages =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end)/

/** Whether an error means that the database cannot be reached now, rather than that a query is wrong. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (error instanceof AggregateError) return error.errors.some(isDatabaseUnavailable)
  return (
    error instanceof DatabaseSilent ||
    // By the next attempt this process seals with the newest data key.
    isAboutDataKey(error) ||
    connectionCodes.has(code) ||
    // Class 08: connection exceptions; class 53: out of connections, memory or disk; 57P01 to 57P03: shutting down,
    // crashed, starting; 57014: a statement timeout; 25006: read-only, as after a failover; the others: conflicts that pass.
    /^(08...|53...|57P0[123]|57014|25006|40001|40P01|55P03)$/.test(code) ||
    connectionMessages.test(error.message)
  )
}

/** Passes on what a write of sealed values resolves to. Throws DataKeyGone in the place of the database's words for it. */
export async function tellDataKeyGone<T>(write: Promise<T>): Promise<T> {
  try {
    return await write
  } catch (error) {
    throw isAboutDataKey(error) ? new DataKeyGone('The data key of a value is gone', { cause: error }) : error
  }
}

/** Something was written that is sealed with a data key which is gone, or one that is in use was to be deleted. */
export function isAboutDataKey(error: unknown): boolean {
  if (error instanceof DataKeyGone) return true
  if (!(error instanceof Error && 'code' in error && 'constraint' in error)) return false
  return error.code === '23503' && /_data_key_fkey$/.test(String(error.constraint))
}

/** Whether an error is about the values of a query (class 22: data exceptions), and not about the database. */
export function isAboutValues(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^22/.test(String(error.code))
}

/** Codes of PostgreSQL that no waiting mends: who connects, where to, and what it may do there. */
const refusals = new Set(['28000', '28P01', '3D000', '42501', '25006'])

/** What is wrong with the address of the database, in words without its password; undefined when it is something else. */
export function refusedAddress(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const isTls = /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|EPROTO$)/.test(code)
  // The server's and OpenSSL's words name user, database, host and certificate, and never the password.
  if (refusals.has(code) || isTls) return error.message
  if (/^The server does not support SSL/.test(error.message)) return error.message
  // The driver's words for a server that asks for a password when the URL has none.
  if (/client password must be/.test(error.message)) return 'the server asks for a password'
  return undefined
}
