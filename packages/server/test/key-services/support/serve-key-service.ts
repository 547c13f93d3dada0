import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface Call {
  method: string
  path: string
  headers: IncomingMessage['headers']
  // biome-ignore lint/suspicious/noExplicitAny: tests look into requests whose shape is the thing under test
  body: any
}

export interface Reply {
  status: number
  body?: unknown
  headers?: Record<string, string>
}

/** What the service does in place of its work. `silent`: it takes the request and never answers. */
export type Fault = Reply | 'silent' | 'reset'

export interface FakeService {
  port: number
  /** Every request, in order. */
  calls: Call[]
  /** Breaks the calls for which a fault is given, until it is given undefined. */
  fault: ((call: Call) => Fault | undefined) | undefined
}

/** A key service on loopback, until the test ends: a real HTTP server, that answers with JSON. */
export async function serveKeyService(
  answer: (call: Call) => Reply,
  tls?: { key: string; cert: string },
): Promise<FakeService> {
  const service: FakeService = { port: 0, calls: [], fault: undefined }
  const listener = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString('utf8')
    const { method = '', url = '', headers } = request
    const call = { method, path: url, headers, body: text === '' ? undefined : JSON.parse(text) }
    service.calls.push(call)
    const reply = service.fault?.(call) ?? answer(call)
    if (reply === 'silent') return
    if (reply === 'reset') return request.socket.destroy()
    response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers })
    response.end(reply.body === undefined ? undefined : JSON.stringify(reply.body))
  }
  const server = tls ? createHttpsServer(tls, listener) : createHttpServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  service.port = (server.address() as AddressInfo).port
  return service
}
