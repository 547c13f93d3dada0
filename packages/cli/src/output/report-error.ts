import { inspect } from 'node:util'
import { AuthconnError } from '@authconn/sdk'
import { errorTable, exitCodes } from '@authconn/shared/errors'
import type { Io } from '../run-cli.ts'
import { hintFor } from './hint.ts'
import { type Paint, paintFor } from './paint.ts'
import { plain, plainLine } from './plain.ts'
import { toJsonLine } from './to-json.ts'

/**
 * Tells an error on stderr, in words or as one line of JSON, and returns the exit code for it.
 * The connection is the one that the command is about, where that is known.
 */
export function reportError(
  thrown: unknown,
  io: Pick<Io, 'stderr' | 'env'>,
  json: boolean,
  connection?: string,
): number {
  const error = explain(thrown)
  const hint = hintFor(error, connection)
  const exitCode = exitCodes[errorTable[error.code].kind]
  const told = json ? toJsonLine(asJson(error, hint, exitCode)) : asWords(error, hint, paintFor(io.stderr, io.env))
  io.stderr.write(`${told}\n`)
  if (error !== thrown && io.env.AUTHCONN_DEBUG === '1') io.stderr.write(`${plain(inspect(thrown))}\n`)
  return exitCode
}

/** Any error as one that can be told. */
export function explain(thrown: unknown): AuthconnError {
  if (thrown instanceof AuthconnError) return thrown
  const name = thrown instanceof Error ? thrown.name : ''
  // Of @inquirer/core, told apart by name since it is loaded only where something is asked.
  if (name === 'ExitPromptError' || name === 'AbortPromptError') {
    const reason = thrown instanceof Error ? thrown.cause : undefined
    return stoppedAtQuestion(reason instanceof AuthconnError ? reason.detail : 'Stopped at a question.')
  }
  return new AuthconnError('internal_error', thrown instanceof Error ? thrown.message : String(thrown), {
    title: 'authconn failed unexpectedly',
    hint: 'This is a defect. AUTHCONN_DEBUG=1 shows where it comes from; please report it.',
    cause: thrown,
  })
}

/** Every question comes before the request that it is for. */
export function stoppedAtQuestion(detail: string): AuthconnError {
  return new AuthconnError('interrupted', detail, {
    hint: 'Nothing was changed. Run the command again when ready.',
  })
}

function asJson(error: AuthconnError, hint: string, exitCode: number): object {
  const { code, title, detail, status, requestId, retryAfter, errors } = error
  return {
    code,
    title,
    detail,
    hint,
    exit_code: exitCode,
    // JSON.stringify leaves out what is undefined.
    status: status === 0 ? undefined : status,
    request_id: requestId,
    retry_after: retryAfter,
    errors,
  }
}

function asWords(error: AuthconnError, hint: string, paint: Paint): string {
  const { code, title, detail, requestId, retryAfter, errors = [] } = error
  return [
    `${paint.red(paint.bold('Error:'))} ${plainLine(title)} ${paint.dim(`[${code}]`)}`,
    ...(detail === title ? [] : [plain(detail)]),
    // A detail may say it all already.
    ...errors
      .filter((entry) => !detail.includes(`${entry.pointer} ${entry.detail}`))
      .map((entry) => `- ${plainLine(entry.pointer)}: ${plainLine(entry.detail)}`),
    `${paint.dim('What to do:')} ${plain(hint)}`,
    ...(retryAfter === undefined ? [] : [`${paint.dim('Try again after:')} ${retryAfter} s`]),
    ...(requestId === undefined ? [] : [`${paint.dim('Request id:')} ${plainLine(requestId)}`]),
  ].join('\n  ')
}
