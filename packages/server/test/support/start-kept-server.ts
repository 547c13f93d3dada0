import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { KeeperReport } from './keep-server.ts'

export interface KeptServer {
  url: string
  stop(): Promise<void>
}

/**
 * Starts a server by a program that calls keepServer.
 * That process of its own keeps it, and ends it and deletes its data when this one stops or dies, even by SIGKILL.
 */
export async function startKeptServer(
  name: string,
  program: URL,
  environment: Record<string, string> = {},
): Promise<KeptServer> {
  const keeper = fork(fileURLToPath(program), {
    execArgv: [],
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // Its own process group: Ctrl-C ends the tests first, and the server after them.
    detached: true,
  })
  const exited = once(keeper, 'exit')
  const report = await Promise.race([
    once(keeper, 'message').then(([message]) => message as KeeperReport),
    exited.then(([code]) => ({ error: `the process that keeps it ended with code ${code}` })),
  ])
  if ('error' in report) throw new Error(`${name} for the tests did not start: ${report.error}`)
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
