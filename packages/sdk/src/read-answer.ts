import { AuthconnError } from './authconn-error.ts'
import { readProblem } from './read-problem.ts'

const maxBytes = 16 * 1024 * 1024

/**
 * The JSON object of a successful answer. Throws the vault's own problem (RFC 9457) as an AuthconnError, and
 * vault_answer_invalid for anything else. No cause is kept: what was answered may hold a token.
 */
export async function readAnswer(response: Response, origin: string, apiKey: string): Promise<object> {
  if (response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)) {
    await response.body?.cancel()
    throw invalid(
      `${origin} answered with a redirect (status ${response.status}), which is not followed.`,
      response,
    )
  }
  const text = await readText(response, origin)
  const value = /^application\/(?:\w+\+)?json\b/i.test(response.headers.get('content-type') ?? '')
    ? parseObject(text)
    : undefined
  if (value === undefined) {
    throw invalid(`${origin} answered with something that is not JSON (status ${response.status}).`, response)
  }
  if (response.ok) return value
  throw (
    readProblem(value, response, apiKey) ??
    invalid(`${origin} answered with status ${response.status} and no explanation of a vault.`, response)
  )
}

async function readText(response: Response, origin: string): Promise<string> {
  // Not Buffer, which edge runtimes do not have.
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  // Leaving the loop early cancels the stream.
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > maxBytes) throw invalid(`${origin} answered with more than ${maxBytes} bytes.`, response)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    // Told by the caller, without the parser's message: it quotes the text.
    return undefined
  }
}

function invalid(detail: string, response: Response): AuthconnError {
  return new AuthconnError('vault_answer_invalid', detail, { status: response.status })
}
