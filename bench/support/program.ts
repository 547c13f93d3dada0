import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../packages/server/test/support/free-port.ts'

export interface RunningProgram {
  url: string
  /** From starting the process until `/readyz` answered 200. */
  readyMs: number
  /** Resident memory now, in millions of bytes. */
  memoryMb(): Promise<number>
  /** Ends it by SIGTERM and waits. */
  stop(): Promise<void>
}

const patienceMs = 60_000

/** Starts a JavaScript program on this Node with exactly this environment, and waits until it is ready. */
export async function startProgram(
  args: string[],
  environment: (port: number) => Record<string, string>,
): Promise<RunningProgram> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const started = performance.now()
  const child = spawn(process.execPath, args, { env: environment(port), stdio: ['ignore', 'ignore', 'pipe'] })
  const killed = () => child.kill('SIGKILL')
  process.once('exit', killed)
  child.once('exit', () => process.off('exit', killed))
  await waitUntilReady(url, child)
  return {
    url,
    readyMs: performance.now() - started,
    memoryMb: () => residentMegabytes(child),
    async stop() {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    },
  }
}

async function waitUntilReady(url: string, child: ChildProcess): Promise<void> {
  let words = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-2000)
  })
  const deadline = performance.now() + patienceMs
  while (!(await isReady(url))) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${child.spawnfile} ended: ${words}`)
    if (performance.now() > deadline) throw new Error(`${url} was not ready in ${patienceMs / 1000} s: ${words}`)
    await sleep(5)
  }
}

function isReady(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    get(`${url}/readyz`, { agent: false }, (response) => {
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
