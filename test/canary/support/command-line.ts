import { expect } from 'vitest'
import { cliPath, startChild } from '../../../packages/cli/test/e2e/support/child.ts'

export interface Ended {
  exitCode: number | null
  stdout: string
  stderr: string
}

/** The command line as a person and a script use it, with all that it ever printed. */
export function createCommandLine(env: Record<string, string>) {
  const printed: string[] = []
  const start = (args: readonly string[], changes: Record<string, string> = {}) =>
    startChild(cliPath, args, { ...env, ...changes })

  return {
    /** All output, in which what was asked for is not. */
    printed,
    start,
    /**
     * Runs a command to its end. `belongs` names what its output is there for, such as the token of `authconn token`:
     * that is taken out of what is kept, and nothing else.
     */
    async run(
      args: readonly string[],
      options: { input?: string; env?: Record<string, string>; belongs?(stdout: string): string[] } = {},
    ): Promise<Ended> {
      const child = start(args, options.env)
      child.process.stdin?.end(options.input ?? '')
      const { exitCode } = await child.ended
      const stdout = child.stdout()
      const kept = (options.belongs?.(stdout) ?? []).reduce((left, value) => left.replaceAll(value, ''), stdout)
      printed.push(kept, child.stderr())
      return { exitCode, stdout, stderr: child.stderr() }
    },
    /** `authconn authorize`, up to the moment when it waits for the browser. */
    async authorize(name: string) {
      const child = start(['authorize', name, '--port', '0', '--no-browser', '--json'])
      await expect.poll(() => child.stderr(), { timeout: 20_000 }).toContain('authorization_url')
      const notice: { authorization_url: string } = JSON.parse(child.stderr().split('\n')[0] ?? '')
      return {
        url: notice.authorization_url,
        async end() {
          const { exitCode } = await child.ended
          printed.push(child.stdout(), child.stderr().replaceAll(notice.authorization_url, ''))
          return exitCode
        },
      }
    },
  }
}
