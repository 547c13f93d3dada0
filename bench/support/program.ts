import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../packages/server/test/support/free-port.ts'

export interface RunningProgram {
  url: string
  pid: number
  /** From starting the process until it answered with 200. */
  readyMs: number
  /** Resident memory now, in millions of bytes. */
  memoryMb(): Promise<number>
  /** Sends a signal and does not wait, since not every one ends it. */
  kill(signal: NodeJS.Signals): void
  /** Resolves when it has ended, to its exit code, or null after a signal. */
  ended: Promise<number | null>
  /** Ends it by SIGTERM and waits. */
  stop(): Promise<void>
}

export interface ProgramOptions {
  /** What answers 200 once it is ready; `/readyz` unless given. */
  readyPath?: string
  /** A free one otherwise. */
  port?: number
  /** Gets both its outputs at its end. Without it, nobody sees what it prints. */
  logFile?: string
  /** Whether it ends with this process even when that is killed, for which a module is loaded into it. */
  exitWithParent?: boolean
}

const patienceMs = 60_000
const exitWithParentUrl = new URL('../../scripts/local/exit-with-parent.ts', import.meta.url).href

/** Starts a JavaScript program on this Node with exactly this environment, and waits until it is ready. */
export async function startProgram(
  args: string[],
  environment: (port: number) => Record<string, string>,
  options: ProgramOptions = {},
): Promise<RunningProgram> {
  const port = options.port ?? (await freePort())
  const url = `http://127.0.0.1:${port}`
  const started = performance.now()
  const { child, words } = spawnNode(args, environment(port), options)
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const killed = () => child.kill('SIGKILL')
  process.once('exit', killed)
  child.once('exit', () => process.off('exit', killed))
  try {
    await waitUntilReady(url + (options.readyPath ?? '/readyz'), child, words)
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  return {
    url,
    pid: child.pid ?? 0,
    readyMs: performance.now() - started,
    memoryMb: () => residentMegabytes(child),
    kill: (signal) => void child.kill(signal),
    ended,
    async stop() {
      child.kill('SIGTERM')
      // One that was stopped by SIGSTOP hears of the other signal only when it goes on.
      child.kill('SIGCONT')
      const stubborn = setTimeout(() => child.kill('SIGKILL'), patienceMs)
      await ended
      clearTimeout(stubborn)
    },
  }
}

/** `words` gives the last of what it has said. */
function spawnNode(args: string[], env: Record<string, string>, { logFile, exitWithParent }: ProgramOptions) {
  const log = logFile === undefined ? undefined : openSync(logFile, 'a', 0o600)
  const child = spawn(process.execPath, [...(exitWithParent ? ['--import', exitWithParentUrl] : []), ...args], {
    env,
    stdio: ['ignore', log ?? 'ignore', log ?? 'pipe', ...(exitWithParent ? (['ipc'] as const) : [])],
  })
  if (log !== undefined) closeSync(log)
  let errors = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-2000)
  })
  const words = () => (logFile === undefined ? errors : readFileSync(logFile, 'utf8').slice(-2000))
  return { child, words }
}

async function waitUntilReady(url: string, child: ChildProcess, words: () => string): Promise<void> {
  const deadline = performance.now() + patienceMs
  while (!(await isReady(url))) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`${child.spawnargs.join(' ')} ended: ${words()}`)
    }
    if (performance.now() > deadline) {
      throw new Error(`${url} was not ready in ${patienceMs / 1000} s: ${words()}`)
    }
    await sleep(5)
  }
}

function isReady(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    get(url, { agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    }).once('error', () => resolve(false))
  })
}

/** Linux only, like the figure's name: the resident set counts pages shared with other processes as well. */
async function residentMegabytes(child: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
  const kibibytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1])
  return Math.round((kibibytes * 1024) / 1e6)
}
