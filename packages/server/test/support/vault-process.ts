import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Operation, type OperationName, routes } from '@authconn/shared'
import { onTestFinished } from 'vitest'
import { noteAnswer, noteServerEnd } from '../../../../test/support/provoked-errors.ts'
import { compileCache } from './cache.ts'
import { putEmptyDatabase } from './put-empty-database.ts'
import { urlOf } from './url-of.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** A data directory that goes with the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'authconn-process-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** A data directory in which the first start finds its embedded database made, and nothing in it. */
export function directoryWithDatabase(): string {
  const directory = temporaryDirectory()
  putEmptyDatabase(directory)
  return directory
}

export interface Finished {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs `authconn-server` to its end. */
export async function runServer(args: string[], env: Record<string, string>): Promise<Finished> {
  const child = start(args, env)
  const output = collect(child)
  await once(child, 'close')
  const finished = { code: child.exitCode, ...output() }
  noteServerEnd(finished)
  return finished
}

/** A running vault as a process of its own. Killed when the test ends, if it still runs. */
export async function startVaultProcess(env: Record<string, string> & { AUTHCONN_DATA_DIR: string }) {
  const child = start(['start', '--port', '0'], env)
  const output = collect(child)
  onTestFinished(() => void child.kill('SIGKILL'))
  // Not `exit`: what it wrote last may come after that.
  const exited = once(child, 'close')
  const url = await Promise.race([listening(child), exited.then(() => undefined)])
  if (!url) throw new Error(`the vault did not start: ${JSON.stringify(output())}`)
  const credentials = () => JSON.parse(readFileSync(join(env.AUTHCONN_DATA_DIR, 'credentials.json'), 'utf8'))

  return {
    url,
    pid: child.pid,
    output,
    credentials,
    /** Stays, and takes nothing more: what is written fills the pipe. */
    pauseReading: () => child.stdout?.pause(),
    resumeReading: () => child.stdout?.resume(),
    /** Leaves, as the other end of a pipe does. */
    stopReading: () => child.stdout?.destroy(),
    /** Sends a signal and waits for the end; the exit code, or null after a kill. */
    async end(signal: NodeJS.Signals): Promise<number | null> {
      child.kill(signal)
      await exited
      return child.exitCode
    },
    async call<N extends OperationName>(
      name: N,
      input: Partial<Pick<Operation<N>, 'params' | 'query' | 'body'>> = {},
      key: string = credentials().api_key,
    ) {
      const response = await fetch(url + urlOf(name, input.params ?? {}, input.query ?? {}), {
        method: routes[name][0],
        headers: {
          authorization: `Bearer ${key}`,
          ...(input.body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(input.body === undefined ? {} : { body: JSON.stringify(input.body) }),
      })
      const answer = {
        status: response.status,
        headers: response.headers,
        body: JSON.parse(await response.text()),
      }
      noteAnswer(answer)
      return answer
    },
  }
}

function start(args: string[], env: Record<string, string>): ChildProcess {
  const { PATH = '', HOME = '' } = process.env
  return spawn(process.execPath, [main, ...args], {
    env: { PATH, HOME, AUTHCONN_ALLOW_LOOPBACK_PROVIDERS: 'true', ...compileCache, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

function collect(child: ChildProcess) {
  const output = { stdout: '', stderr: '' }
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    output.stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    output.stderr += text
  })
  return () => output
}

async function listening(child: ChildProcess): Promise<string> {
  let seen = ''
  return new Promise((resolve) => {
    child.stdout?.on('data', (text) => {
      seen += text
      const url = /"url":"(https?:[^"]+)".*"msg":"listening"/.exec(seen)?.[1]
      if (url) resolve(url)
    })
  })
}
