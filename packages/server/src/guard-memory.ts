import inspector from 'node:inspector'
import { AuthconnError } from './core/errors.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** What writes memory to files, or what is on its way through TLS in the clear. */
const refusedFlags = [
  /^--inspect(-brk|-wait)?$/,
  /^--heapsnapshot-(signal|near-heap-limit)$/,
  /^--heap-prof$/,
  // A core dump on every crash.
  /^--abort-on-uncaught-exception$/,
  /^--(tls-keylog|trace-tls)$/,
]

/**
 * From now on no signal starts a debugger, and no diagnostic report holds the environment. To be called before
 * anything secret is in memory.
 */
export function closeDiagnostics(): void {
  if (process.report) process.report.excludeEnv = true
  // In the place of Node's own handler, which would open a port that anybody on this machine may use.
  if (process.platform !== 'win32') process.on('SIGUSR1', () => undefined)
}

/**
 * Throws inspection_refused where this process was started so that others could read its memory or its traffic: there
 * is no other use of a debugger on a vault. For development `allowed` turns it off.
 */
export function refuseInspection(
  allowed: boolean,
  { execArgv, env }: { execArgv: readonly string[]; env: Environment } = process,
): void {
  if (allowed) return
  if (inspector.url() !== undefined) throw refusal('A debugger is open')
  for (const [where, flags] of [
    ['the command line', execArgv],
    ['NODE_OPTIONS', (env.NODE_OPTIONS ?? '').split(/\s+/)],
  ] as const) {
    const found = flags.map(nameOf).find((flag) => refusedFlags.some((refused) => refused.test(flag)))
    if (found) throw refusal(`${found} is given in ${where}`)
  }
  // Node then prints what it sends, Authorization headers with it.
  if (env.NODE_DEBUG) throw refusal('NODE_DEBUG is set')
  // Of the client for Redis, which prints the password.
  if (/(^|[\s,])(\*|ioredis)/.test(env.DEBUG ?? '')) throw refusal('DEBUG is set for everything or for ioredis')
}

/** Node takes underscores for hyphens, and quotes around an option. */
function nameOf(flag: string): string {
  const [name = ''] = flag.replaceAll('"', '').split('=', 1)
  return name.replaceAll('_', '-')
}

function refusal(detail: string): AuthconnError {
  return new AuthconnError('inspection_refused', detail)
}
