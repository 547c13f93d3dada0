import type { AuthconnError } from './authconn-error.ts'

/** The body of an answer of at most so many bytes. Throws the error given where there are more. */
export async function readText(
  response: Response,
  maxBytes: number,
  tooLong: () => AuthconnError,
): Promise<string> {
  // Not Buffer, which edge runtimes do not have.
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  // Leaving the loop early cancels the stream.
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > maxBytes) throw tooLong()
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

/** undefined when it is not a JSON object. The parser's message is not kept: it quotes the text. */
export function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}
