import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { AuthconnError } from '../core/errors.ts'
import { problemType, toProblem } from './problem.ts'
import { bareHeaders } from './security-headers.ts'

/** Answers what is no HTTP request at all, before there is a request object to answer. */
export function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const problem = toProblem(randomUUID(), toAuthconnError(error.code))
  const body = JSON.stringify(problem)
  socket.end(
    // RFC 9112 section 4: the reason phrase may be left out, its space may not.
    `HTTP/1.1 ${problem.status} \r\n` +
      `content-type: ${problemType}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `${bareHeaders}connection: close\r\n\r\n${body}`,
  )
}

function toAuthconnError(code: string | undefined): AuthconnError {
  if (code === 'HPE_HEADER_OVERFLOW') return new AuthconnError('headers_too_large')
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new AuthconnError('request_timeout')
  return new AuthconnError('invalid_request', 'This is not a valid HTTP request')
}
