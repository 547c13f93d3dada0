import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What the process that keeps the server says, once. */
export type PostgresReport = { url: string } | { error: string }

export interface RunningPostgres {
  /** Connects as superuser to the `postgres` database. */
  url: string
  stop(): Promise<void>
}

/**
 * Starts a throw-away PostgreSQL 18 on a free port of this machine.
 * A process of its own keeps it, and ends it and deletes its data when this one stops or dies, even by SIGKILL.
 */
export async function startPostgres(): Promise<RunningPostgres> {
  const keeper = fork(fileURLToPath(new URL('postgres.process.ts', import.meta.url)), {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // Its own process group: Ctrl-C ends the tests first, and the database after them.
    detached: true,
  })
  const exited = once(keeper, 'exit')
  const report = await Promise.race([
    once(keeper, 'message').then(([message]) => message as PostgresReport),
    exited.then(([code]) => ({ error: `the process that keeps it ended with code ${code}` })),
  ])
  if ('error' in report) throw new Error(`PostgreSQL for the tests did not start: ${report.error}`)
  keeper.unref()
  keeper.channel?.unref()
  return {
    url: report.url,
    async stop() {
      keeper.ref()
      if (keeper.connected) keeper.disconnect()
      await exited
    },
  }
}
