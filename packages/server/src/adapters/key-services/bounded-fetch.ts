import { Agent, request } from 'undici'
import { ProviderFailure } from '../../core/oauth-port.ts'
import { readAnswer, toFailure } from '../oauth/read-answer.ts'
import { KeyServiceFailure } from './key-service.ts'

/** What answers of key services need at most is a few KiB. */
const maxBytes = 64 * 1024
const timeoutMs = 10_000

/**
 * Sends JSON to a key service and resolves to what it answers, whatever its status; `body` is undefined where that is no
 * JSON. Follows no redirect, and reads no more than 64 KiB. Unlike the door to providers it goes to any address: the
 * operator has named it, and it is often a private one. Throws KeyServiceFailure.
 */
export type BoundedFetch = (
  url: string,
  call: { headers: Record<string, string>; body: object; signal: AbortSignal },
) => Promise<{ status: number; body: unknown }>

export function createBoundedFetch(): BoundedFetch {
  const dispatcher = new Agent({
    // Whatever NODE_TLS_REJECT_UNAUTHORIZED says.
    connect: { rejectUnauthorized: true, timeout: timeoutMs },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    keepAliveTimeout: 1000,
    maxHeaderSize: 16 * 1024,
    allowH2: false,
  })

  return async function boundedFetch(url, { headers, body, signal }) {
    const what = `POST ${url}`
    try {
      const answer = await request(url, {
        dispatcher,
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json', 'accept-encoding': 'identity' },
        body: JSON.stringify(body),
        signal,
      })
      const received = new Headers()
      for (const [name, value] of Object.entries(answer.headers)) received.append(name, String(value))
      const read = await readAnswer(
        { status: answer.statusCode, headers: received, body: answer.body },
        maxBytes,
        what,
      )
      return { status: read.status, body: parse(await read.text()) }
    } catch (error) {
      const failure = error instanceof ProviderFailure ? error : toFailure(error, what, undefined)
      throw new KeyServiceFailure('passing', failure.message)
    }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
