import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../packages/server/dist/main.js', import.meta.url))

/** What `authconn-server keys … --json` says, in parts. */
// biome-ignore lint/suspicious/noExplicitAny: each command prints another shape
type Result = any

/** Runs `authconn-server keys …` on a vault, from the bundle. */
export function createKeysCommand(environment: Record<string, string>) {
  const start = (args: string[]): ChildProcess => {
    const child = spawn(process.execPath, [program, 'keys', ...args, '--json'], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const killed = () => child.kill('SIGKILL')
    process.once('exit', killed)
    child.once('exit', () => process.off('exit', killed))
    return child
  }

  return {
    /** To its end; throws unless it ends well. */
    async run(...args: string[]): Promise<{ result: Result; ms: number; log: string }> {
      const started = performance.now()
      const child = start(args)
      let [out, err] = ['', '']
      child.stdout?.setEncoding('utf8').on('data', (text) => {
        out += text
      })
      child.stderr?.setEncoding('utf8').on('data', (text) => {
        err += text
      })
      const [code] = await once(child, 'close')
      if (code !== 0) throw new Error(`keys ${args.join(' ')} ended with ${code}: ${out}${err}`)
      return { result: JSON.parse(out), ms: Math.round(performance.now() - started), log: err }
    },
    /** Kills it when a good part is done, and others have no part in that; resolves to how much was left when it was dead. */
    async killInTheMiddle(
      args: string[],
      left: () => Promise<number>,
    ): Promise<{ before: number; after: number }> {
      const before = await left()
      const child = start(args)
      const ended = once(child, 'close')
      const isOver = () => child.exitCode !== null || child.signalCode !== null
      while (!isOver() && (await left()) > 0.7 * before) await sleep(1)
      child.kill('SIGKILL')
      await ended
      return { before, after: await left() }
    },
  }
}
