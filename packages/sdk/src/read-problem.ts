import { isErrorCode } from '@authconn/shared/errors'
import { AuthconnError, type AuthconnErrorOptions } from './authconn-error.ts'

/** An error answer of the vault (RFC 9457) as an error; undefined when it is not one of a vault. */
export function readProblem(
  value: object,
  response: Response,
  secrets: readonly string[],
): AuthconnError | undefined {
  const problem: Record<string, unknown> = { ...value }
  // A server that is not ours may send back what it was sent.
  const hidden = (text: string) => secrets.reduce((told, secret) => told.replaceAll(secret, '[secret]'), text)
  const words = (field: unknown) => (typeof field === 'string' ? hidden(field) : undefined)
  const { code } = problem
  const [title, detail, hint] = [words(problem.title), words(problem.detail), words(problem.hint)]
  if (typeof code !== 'string' || title === undefined || detail === undefined || hint === undefined) {
    return undefined
  }
  const requestId = words(problem.request_id)
  const retryAfter = readRetryAfter(response.headers.get('retry-after'))
  const options: AuthconnErrorOptions = {
    status: response.status,
    title,
    hint,
    ...(requestId === undefined ? {} : { requestId }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...readErrors(problem.errors, words),
  }
  if (isErrorCode(code)) return new AuthconnError(code, detail, options)
  return new AuthconnError(
    'vault_answer_invalid',
    `${detail} (${words(code)}, a code newer than this client)`,
    options,
  )
}

function readErrors(
  value: unknown,
  words: (field: unknown) => string | undefined,
): Pick<AuthconnErrorOptions, 'errors'> {
  if (!Array.isArray(value)) return {}
  const errors = value.flatMap((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null || !('pointer' in entry) || !('detail' in entry)) return []
    const [pointer, detail] = [words(entry.pointer), words(entry.detail)]
    return pointer === undefined || detail === undefined ? [] : [{ pointer, detail }]
  })
  return { errors }
}

/** Seconds; the header holds seconds or an HTTP date (RFC 9110 section 10.2.3). */
function readRetryAfter(value: string | null): number | undefined {
  if (value === null) return undefined
  if (/^\d+$/.test(value)) return Number(value)
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - Date.now()) / 1000))
}
