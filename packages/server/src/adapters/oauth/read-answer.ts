import { ProviderFailure } from '../../core/oauth-port.ts'

/** The head of an answer, and its body still to be read. A fetch Response is one. */
export interface TransportAnswer {
  status: number
  headers: Headers
  body: AsyncIterable<Uint8Array> | null
}

/** Reads an answer to its end, within bounds. `what` is the request, for messages. Throws ProviderFailure. */
export async function readAnswer(answer: TransportAnswer, maxBytes: number, what: string): Promise<Response> {
  const { status, headers } = answer
  const unreadable = (problem: string) =>
    // A redirect says that it was done elsewhere or not at all; any other answer may follow on what was asked.
    new ProviderFailure('unintelligible', `${what}: ${problem}`, {
      status,
      outcome: status >= 300 && status < 400 ? 'none' : 'unknown',
    })
  const problem = findHeadProblem(answer, maxBytes)
  if (problem) throw unreadable(problem)
  const body = await readBytes(answer.body, maxBytes)
  if (!body) throw unreadable(`the answer is larger than ${maxBytes} bytes`)
  const hasBody = status !== 204 && status !== 205
  return new Response(hasBody ? body : null, { status, headers })
}

/** A transport's error as a ProviderFailure. Its cause is left out: a parser's error holds what was received. */
export function toFailure(error: unknown, what: string, timedOutAfter: number | undefined): ProviderFailure {
  if (error instanceof ProviderFailure) return error
  const unknown = { outcome: 'unknown' } as const
  if (timedOutAfter !== undefined) {
    return new ProviderFailure('passing', `${what}: no complete answer within ${timedOutAfter / 1000} s`, unknown)
  }
  const code = findCode(error)
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    return new ProviderFailure('unintelligible', `${what}: the headers of the answer are too large`, unknown)
  }
  if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') {
    return new ProviderFailure('unintelligible', `${what}: the answer is not as long as it says`, unknown)
  }
  if (error instanceof Error && error.name === 'HTTPParserError')
    return new ProviderFailure('unintelligible', `${what}: the answer is not HTTP`, unknown)
  return new ProviderFailure('passing', `${what}: ${wordsFor(code)}`, isBeforeSending(code) ? {} : unknown)
}

/** Whether there was no connection yet, over which something could have been asked. */
function isBeforeSending(code: string | undefined): boolean {
  return code !== undefined && (/CERT|SIGNATURE|^ERR_TLS/.test(code) || beforeSending.has(code))
}

const beforeSending = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

function wordsFor(code: string | undefined): string {
  if (code === undefined) return 'the connection failed'
  if (/CERT|SIGNATURE/.test(code)) return `the certificate is not valid (${code})`
  return known[code] ?? `the connection failed (${code})`
}

const known: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the host name cannot be resolved',
  EAI_AGAIN: 'the host name cannot be resolved now',
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  UND_ERR_SOCKET: 'the connection was closed before the answer was complete',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
}

function findHeadProblem({ status, headers }: TransportAnswer, maxBytes: number): string | undefined {
  if (status >= 300 && status < 400) return `answered with a redirect (${status}), which the vault does not follow`
  if (status < 200 || status > 599) return `answered with status ${status}, which is none of HTTP's`
  const encoding = headers.get('content-encoding')
  if (encoding && encoding.toLowerCase() !== 'identity') return 'the answer is compressed, which was not asked for'
  if (Number(headers.get('content-length')) > maxBytes) return `the answer is larger than ${maxBytes} bytes`
  return undefined
}

/** Undefined when there is more than the maximum; then the rest is not read. */
async function readBytes(
  body: TransportAnswer['body'],
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  // Leaving the loop early closes the stream and with it the connection.
  for await (const chunk of body ?? []) {
    length += chunk.byteLength
    if (length > maxBytes) return undefined
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

/** The code of an error or of what caused it: `fetch failed` has its reason inside. */
function findCode(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string' && /^[A-Z0-9_]{2,60}$/.test(at.code)) return at.code
  }
  return undefined
}
