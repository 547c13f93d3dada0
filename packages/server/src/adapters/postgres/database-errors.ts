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
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Cannot use a pool after calling end)/

/** Whether an error means that the database cannot be reached now, rather than that a query is wrong. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (error instanceof AggregateError) return error.errors.some(isDatabaseUnavailable)
  return (
    connectionCodes.has(code) ||
    // Class 08: connection exceptions; 57P01 to 57P03: shutting down, crashed, starting; 53300: too many connections
    /^(08...|57P0[123]|53300)$/.test(code) ||
    connectionMessages.test(error.message)
  )
}
