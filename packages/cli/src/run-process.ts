import { AuthconnError } from '@authconn/sdk'
import { reportError } from './output/report-error.ts'
import { openKeychain } from './profiles/keychain.ts'
import { type Io, runCli, wantsJson } from './run-cli.ts'

/** Runs one command line as this process: its signals, streams and exit code. */
export async function runProcess(argv: readonly string[]): Promise<void> {
  refuseDebugger()
  const interruption = new AbortController()
  const interrupt = (detail: string) => interruption.abort(new AuthconnError('interrupted', detail))
  const { stdin, stdout, stderr, env } = process
  const io: Io = { stdin, stdout, stderr, env, signal: interruption.signal, interrupt, openKeychain }

  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      // The first lets the command clean up; whoever asks twice does not want to wait for that.
      if (interruption.signal.aborted) process.exit(130)
      interrupt(`Stopped by ${name}.`)
    })
  }
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    // The reader has seen enough: authconn list | head
    if (error.code === 'EPIPE') process.exit()
    process.exit(reportError(unwritten(error), io, wantsJson(argv)))
  })
  // Nobody is left to tell: the terminal is gone, or the reader of stderr is.
  stderr.on('error', () => {})
  process.on('uncaughtException', (error) => process.exit(reportError(error, io, wantsJson(argv))))
  // Nothing is left that could end the command: a prompt whose input has ended, as by Ctrl-D.
  process.once('beforeExit', () => interrupt('The input ended before the command was complete.'))

  process.exitCode = await runCli(argv, io)
  process.removeAllListeners('beforeExit')
}

/**
 * In the place of Node's own handler, by which any process of this user, such as a function, would open a debugger in
 * the one that holds the API key. Windows has no signals for it.
 */
function refuseDebugger(): void {
  if (process.platform !== 'win32') process.on('SIGUSR1', () => {})
}

function unwritten(cause: NodeJS.ErrnoException): AuthconnError {
  return new AuthconnError('internal_error', `Standard output: ${cause.message}`, {
    title: 'The result could not be written',
    hint: 'Check where standard output goes, such as the space left there. The command itself has been carried out.',
    cause,
  })
}
