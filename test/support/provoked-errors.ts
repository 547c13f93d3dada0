import { type ErrorCode, errorTable, exitCodes, isErrorCode } from '@authconn/shared/errors'
import { TestRunner } from 'vitest'

declare module 'vitest' {
  interface TaskMeta {
    /** The errors that somebody was told while the test ran, as docs/errors.md has them. */
    provoked?: ErrorCode[]
  }
}

// Whatever a test calls a real vault or a real program with tells here what came back. When all tests have run, each
// code of the table must have been told in one that passed: scripts/lib/find-unprovoked.ts.

/** An answer of a vault. */
export function noteAnswer({ status, body }: { status: number; body: unknown }): void {
  if (status < 400 || typeof body !== 'object' || body === null) return
  const { code, title, hint } = body as Record<string, unknown>
  if (!isErrorCode(code)) return
  expectSame(code, 'status', status, errorTable[code].status)
  if (title === errorTable[code].title && hint === errorTable[code].hint) note(code)
}

/** How `authconn-server` ended. */
export function noteServerEnd({ code: exitCode, stderr }: { code: number | null; stderr: string }): void {
  const code = /^.+ \((\w+)\)$/m.exec(stderr)?.[1]
  if (!isErrorCode(code)) return
  const { kind, title, hint } = errorTable[code]
  expectSame(code, 'exit code', exitCode, kind === 'usage' ? 2 : 1)
  if (stderr.includes(`${title} (${code})\n`) && stderr.endsWith(`\n${hint}\n`)) note(code)
}

/**
 * How `authconn` ended. Of what it tells of a vault that is played by the test, only its own errors are real.
 */
export function noteEnd(
  { exitCode, stderr }: { exitCode: number | null; stderr: string },
  vault: 'real' | 'played',
): void {
  const told = readReport(stderr)
  if (!told) return
  const { kind, status, title, hint } = errorTable[told.code]
  expectSame(told.code, 'exit code', exitCode, exitCodes[kind])
  // The name of a connection stands where the table has room for one.
  const words = hint.split(/\bNAME\b/)
  const isAsDocumented = told.title === title && words.every((part) => told.hint.includes(part))
  if (isAsDocumented && (vault === 'real' || status === 0)) note(told.code)
}

function readReport(stderr: string): { code: ErrorCode; title: string; hint: string } | undefined {
  const [, title = '', code] = /^Error: (.+) \[(\w+)\]$/m.exec(stderr) ?? []
  if (isErrorCode(code)) return { code, title, hint: /^ {2}What to do: (.+)$/m.exec(stderr)?.[1] ?? '' }
  const line = stderr.split('\n').find((text) => text.startsWith('{"code":'))
  const told: unknown = line === undefined ? undefined : JSON.parse(line)
  return isReport(told) ? told : undefined
}

function isReport(told: unknown): told is { code: ErrorCode; title: string; hint: string } {
  return (
    typeof told === 'object' && told !== null && 'exit_code' in told && 'code' in told && isErrorCode(told.code)
  )
}

function expectSame(code: ErrorCode, what: string, seen: unknown, expected: unknown): void {
  if (seen !== expected) throw new Error(`${code} came with ${what} ${seen}; the table of errors says ${expected}`)
}

function note(code: ErrorCode): void {
  const meta = TestRunner.getCurrentTest()?.meta
  if (meta && !meta.provoked?.includes(code)) meta.provoked = [...(meta.provoked ?? []), code]
}
