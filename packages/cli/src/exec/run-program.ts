import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { AuthconnError } from '@authconn/sdk'

/** What a program may be sent by others; those that cannot be caught, it is sent by the system all the same. */
const passed: readonly NodeJS.Signals[] =
  process.platform === 'win32'
    ? ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK']
    : ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGCONT', 'SIGWINCH']

/** What a terminal sends to all programs in the foreground by itself: passed on, it would come twice. */
const fromTerminal: readonly string[] = ['SIGINT', 'SIGQUIT', 'SIGWINCH', 'SIGBREAK']

/**
 * Runs a program on the streams of this process, as if it stood in its place: signals go to it, and the exit code is its
 * own. When a signal ends it, this process ends by the same one. Throws usage where it cannot be started.
 */
export async function runProgram(
  [program = '', ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const child = spawn(program, args, { env, stdio: 'inherit' })
  const signals = takeSignals((name) => {
    if (!(fromTerminal.includes(name) && (process.stdin.isTTY || process.stderr.isTTY))) child.kill(name)
  })
  const { code, signal } = await ending(child, program)
  signals.release()
  if (signal === null) return code ?? 1
  process.kill(process.pid, signal)
  // The system may take a moment, and some do not end by every signal.
  await new Promise((resolve) => setTimeout(resolve, 1000))
  return 128 + constants.signals[signal]
}

/** Has all signals told to one listener, instead of those that would end the command. */
function takeSignals(tell: (name: NodeJS.Signals) => void): { release(): void } {
  for (const name of passed) {
    process.removeAllListeners(name)
    process.on(name, tell)
  }
  return {
    release() {
      for (const name of passed) process.removeAllListeners(name)
    },
  }
}

function ending(
  child: ChildProcess,
  program: string,
): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause: NodeJS.ErrnoException) => reject(unstarted(program, cause)))
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
}

function unstarted(program: string, cause: NodeJS.ErrnoException): AuthconnError {
  const reason =
    cause.code === 'ENOENT'
      ? 'there is no such program'
      : cause.code === 'EACCES'
        ? 'it may not be run'
        : cause.message
  return new AuthconnError('usage', `${program} cannot be started: ${reason}.`, {
    title: 'The program cannot be started',
    hint: 'Check the command after --. Scripts of a shell need one: -- sh -c "…".',
    cause,
  })
}
