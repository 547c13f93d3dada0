import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const exitWithParent = new URL('./exit-with-parent.ts', import.meta.url).href

/** The first start of the embedded database takes seconds, on a busy machine many. */
const startTimeoutMs = 90_000

export interface Service {
  /** The first match of a pattern in its standard output; rejects when the process ends before. */
  says(pattern: RegExp): Promise<RegExpExecArray>
  /** Resolves when it ends, to what it wrote to standard error. */
  ended: Promise<{ code: number | null; stderr: string }>
  stop(): Promise<void>
}

/** Starts a program of the checkout that stays: it ends with this process, however this one ends. */
export function startService(script: string, args: string[], env: Record<string, string>): Service {
  const child = spawn(process.execPath, ['--import', exitWithParent, pathOf(script), ...args], {
    env: { ...cleanEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Ctrl-C in a terminal goes to the whole group; this process decides the order in which to stop.
    detached: true,
  })
  const output = collect(child)
  const ended = once(child, 'exit').then(([code]) => ({ code, stderr: output.stderr }))
  return {
    ended,
    async says(pattern) {
      const said = new Promise<RegExpExecArray>((resolve) => {
        const look = () => {
          const match = pattern.exec(output.stdout)
          if (match) resolve(match)
        }
        child.stdout?.on('data', look)
        look()
      })
      const early = ended.then(({ code, stderr }) => {
        throw new Error(`${script} ended with code ${code}\n${stderr || output.stdout}`)
      })
      const late = sleep(startTimeoutMs, undefined, { ref: false }).then(() => {
        throw new Error(`${script} was not ready within ${startTimeoutMs / 1000} seconds\n${output.printed}`)
      })
      return Promise.race([said, early, late])
    },
    async stop() {
      child.kill('SIGTERM')
      const stubborn = setTimeout(() => child.kill('SIGKILL'), 30_000)
      await ended
      clearTimeout(stubborn)
    },
  }
}

/** Runs a command to its end. `onOutput` sees all that it has printed so far, each time there is more. */
export async function runCommand(
  script: string,
  args: string[],
  options: { env: Record<string, string>; input: string; onOutput(text: string): void },
): Promise<{ code: number | null; stdout: string; printed: string }> {
  const child = spawn(process.execPath, ['--import', exitWithParent, pathOf(script), ...args], {
    env: { ...cleanEnvironment(), ...options.env },
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
  })
  // A child that is interrupted reads no more: that is told by its end, not by its input.
  child.stdin?.on('error', () => undefined).end(options.input)
  const output = collect(child, () => options.onOutput(output.printed))
  const [code] = await once(child, 'close')
  return { code, ...output }
}

/** `printed`: both streams in the order in which they came, as a terminal would show them. */
function collect(child: ChildProcess, changed: () => void = () => {}) {
  const output = { stdout: '', stderr: '', printed: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
      output.printed += text
      changed()
    })
  }
  return output
}

/** Without settings of a vault or database of the user's own: what runs here must touch nothing but itself. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(AUTHCONN_|DATABASE_URL|PG[A-Z])/.test(name))
  return Object.fromEntries(kept)
}

function pathOf(script: string): string {
  return fileURLToPath(new URL(`../../${script}`, import.meta.url))
}
