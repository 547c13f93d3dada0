import { PassThrough } from 'node:stream'
import { AuthconnError } from '@authconn/sdk'
import { onTestFinished } from 'vitest'
import { noteEnd } from '../../../../test/support/provoked-errors.ts'
import type { Keychain } from '../../src/profiles/keychain.ts'
import { type Io, runCli } from '../../src/run-cli.ts'

export interface RunOptions {
  url?: string
  env?: Record<string, string>
  /** What is in standard input; open and silent when left out. */
  stdin?: string
  /** None that can be used, unless given. */
  keychain?: Keychain
  /** Standard output is a terminal of so many columns. */
  columns?: number
}

export interface Running {
  stdin: PassThrough
  /** What has been written so far. */
  stdout(): string
  stderr(): string
  interrupt(): void
  exitCode: Promise<number>
}

/** The command line in this process, with streams that are no terminal. */
export function begin(
  argv: readonly string[],
  { url, env = {}, stdin: input, keychain, columns }: RunOptions = {},
): Running {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const written = { stdout: '', stderr: '' }
  stdout.on('data', (chunk) => (written.stdout += String(chunk)))
  stderr.on('data', (chunk) => (written.stderr += String(chunk)))
  if (input !== undefined) stdin.end(input)
  const controller = new AbortController()
  const interrupt = (detail = 'Stopped by the test.') => controller.abort(new AuthconnError('interrupted', detail))
  onTestFinished(() => interrupt())
  const configured = url === undefined ? {} : { AUTHCONN_URL: url, AUTHCONN_API_KEY: 'ak_test-key' }
  const io: Io = {
    ...{ stdin, stderr },
    stdout: columns === undefined ? stdout : Object.assign(stdout, { isTTY: true, columns }),
    env: {
      XDG_DATA_HOME: '/nonexistent',
      AUTHCONN_CONFIG_DIR: '/nonexistent/config',
      ...configured,
      ...env,
    },
    signal: controller.signal,
    interrupt,
    async openKeychain() {
      if (keychain === undefined) throw new AuthconnError('keychain_unavailable', 'The test has none.')
      return keychain
    },
  }
  const exitCode = runCli(argv, io).then((code) => {
    noteEnd({ exitCode: code, stderr: written.stderr }, 'played')
    return code
  })
  return { stdin, stdout: () => written.stdout, stderr: () => written.stderr, interrupt, exitCode }
}

/** The same to its end. */
export async function run(argv: readonly string[], options: RunOptions = {}) {
  const running = begin(argv, { stdin: '', ...options })
  const exitCode = await running.exitCode
  return { exitCode, stdout: running.stdout(), stderr: running.stderr() }
}
