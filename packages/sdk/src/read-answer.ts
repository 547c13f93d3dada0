import { AuthconnError } from './authconn-error.ts'
import { readProblem } from './read-problem.ts'
import { parseObject, readText } from './read-text.ts'

const maxBytes = 16 * 1024 * 1024

/**
 * The JSON object of a successful answer. Throws the vault's own problem (RFC 9457) as an AuthconnError, without the secrets
 * that were sent, and vault_answer_invalid for anything else. No cause is kept: what was answered may hold a token.
 */
export async function readAnswer(response: Response, origin: string, secrets: readonly string[]): Promise<object> {
  if (response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)) {
    await response.body?.cancel()
    throw invalid(
      `${origin} answered with a redirect (status ${response.status}), which is not followed.`,
      response,
    )
  }
  const text = await readText(response, maxBytes, () =>
    invalid(`${origin} answered with more than ${maxBytes} bytes.`, response),
  )
  const value = /^application\/(?:\w+\+)?json\b/i.test(response.headers.get('content-type') ?? '')
    ? parseObject(text)
    : undefined
  if (value === undefined) {
    throw invalid(`${origin} answered with something that is not JSON (status ${response.status}).`, response)
  }
  if (response.ok) return value
  throw (
    readProblem(value, response, secrets) ??
    invalid(`${origin} answered with status ${response.status} and no explanation of a vault.`, response)
  )
}

function invalid(detail: string, response: Response): AuthconnError {
  return new AuthconnError('vault_answer_invalid', detail, { status: response.status })
}
