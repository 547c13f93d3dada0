import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { AuthconnError } from '../core/errors.ts'
import { problemType, toProblem } from './problem.ts'

/** Answers what is no HTTP request at all, before there is a request object to answer. */
export function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const known =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? new AuthconnError('body_too_large', 'The headers are too large')
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? new AuthconnError('invalid_request', 'The request did not arrive in time')
        : new AuthconnError('invalid_request', 'This is not a valid HTTP request')
  const problem = toProblem(randomUUID(), known)
  const body = JSON.stringify(problem)
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.status === 413 ? 'Content Too Large' : 'Bad Request'}\r\n` +
      `content-type: ${problemType}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `cache-control: no-store\r\nconnection: close\r\n\r\n${body}`,
  )
}
