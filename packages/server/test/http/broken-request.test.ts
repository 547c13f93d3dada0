import { createServer } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { answerBrokenRequest } from '../../src/http/broken-request.ts'

/** What a bare HTTP server answers to these bytes. */
async function send(bytes: string) {
  const server = createServer({ requestTimeout: 300, headersTimeout: 300, connectionsCheckingInterval: 50 })
  server.on('clientError', answerBrokenRequest)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  const socket = connect(typeof address === 'object' && address ? address.port : 0, '127.0.0.1')
  socket.write(bytes)
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n')
  return { head, body: JSON.parse(body) }
}

test.each([
  [400, 'invalid_request', 'NONSENSE\r\n\r\n'],
  [408, 'request_timeout', 'GET / HTTP/1.1\r\nhost: x\r\n'],
  [431, 'headers_too_large', `GET / HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`],
])('%i answers what never became a request, as a problem with code %s', async (status, code, bytes) => {
  const { head, body } = await send(bytes)
  expect(head.split('\r\n')[0]).toBe(`HTTP/1.1 ${status} `)
  expect(head).toContain('content-type: application/problem+json')
  expect(body).toMatchObject({ status, code })
})
