import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { type Account, unprivilegedAccount } from './unprivileged-account.ts'

/** What the process that keeps a server says, once. */
export type KeeperReport = { url: string } | { error: string }

export interface Keeping {
  /** Private to the account, and deleted when the server has ended. */
  directory: string
  /** Whom everything must belong to that the server reads; undefined: to whom it belongs anyway. */
  account: Account | undefined
  /** Starts the server as that account on a free port; resolves to the port when the server accepts connections. */
  listen(server: Server): Promise<number>
}

export interface Server {
  command(port: number): Promise<[program: string, ...args: string[]]>
  /** What it writes to its output when it accepts connections. */
  readyWords: string
  /** Ends it at once: nothing it has need outlive the tests. */
  endSignal: NodeJS.Signals
}

/**
 * The whole life of a process that keeps a server, started by startKeptServer with an IPC channel, whose end is the
 * sign to clean up. `start` resolves to the URL of the server.
 */
export async function keepServer(name: string, start: (keeping: Keeping) => Promise<string>): Promise<void> {
  let directory: string | undefined
  let running: { child: ChildProcess; endSignal: NodeJS.Signals } | undefined
  let stopping: Promise<never> | undefined

  const stop = () => {
    stopping ??= cleanUp()
  }
  for (const sign of ['disconnect', 'SIGTERM', 'SIGINT', 'SIGHUP']) process.on(sign, stop)

  try {
    directory = await mkdtemp(join(tmpdir(), `authconn-${name}-`))
    const account = await unprivilegedAccount()
    if (account) await chown(directory, account.uid, account.gid)
    report({ url: await start({ directory, account, listen: listenTo(directory, account) }) })
  } catch (error) {
    report({ error: error instanceof Error ? error.message : String(error) })
    stop()
  }

  function listenTo(cwd: string, account: Account | undefined) {
    return async (server: Server): Promise<number> => {
      for (let attempt = 1; ; attempt++) {
        const port = await freePort()
        const [program, ...args] = await server.command(port)
        if (stopping) throw new Error('told to stop')
        const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd, ...account })
        running = { child, endSignal: server.endSignal }
        try {
          await ready(child, server.readyWords)
          return port
        } catch (error) {
          // Another program may have taken the port in between.
          if (attempt === 3 || stopping) throw error
        }
      }
    }
  }

  async function cleanUp(): Promise<never> {
    if (running && running.child.exitCode === null && running.child.signalCode === null) {
      const exited = once(running.child, 'exit')
      running.child.kill(running.endSignal)
      await exited
    }
    if (directory) await rm(directory, { recursive: true, force: true, maxRetries: 3 })
    process.exit()
  }
}

function report(message: KeeperReport) {
  if (process.connected) process.send?.(message)
}

async function ready(child: ChildProcess, words: string): Promise<void> {
  let log = ''
  await new Promise<void>((resolve, reject) => {
    for (const output of [child.stdout, child.stderr]) {
      output?.setEncoding('utf8').on('data', (chunk: string) => {
        log = (log + chunk).slice(-4000)
        if (log.includes(words)) resolve()
      })
    }
    child.once('error', reject)
    child.once('exit', () => reject(new Error(log)))
  })
}
