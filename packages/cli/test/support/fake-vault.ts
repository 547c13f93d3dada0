import { createServer, type IncomingMessage } from 'node:http'
import type { Operation } from '@authconn/shared'
import { type ErrorCode, errorTable } from '@authconn/shared/errors'
import { type OperationName, routes } from '@authconn/shared/routes'
import { onTestFinished } from 'vitest'

export interface VaultRequest {
  operation: OperationName
  params: Record<string, string>
  query: Record<string, string>
  body: unknown
  apiKey: string | undefined
  requestId: string | undefined
}

/** For a handler: what was asked, and how to break the connection instead of an answer. */
export interface Asked extends VaultRequest {
  hangUp(): Promise<never>
}

/** Thrown by a handler to have the fake vault answer with a problem. */
export class Problem extends Error {
  readonly code: ErrorCode
  readonly extra: object

  constructor(code: ErrorCode, detail: string, extra: object = {}) {
    super(detail)
    this.code = code
    this.extra = extra
  }
}

export type Handlers = {
  [N in OperationName]?: (request: Asked) => Operation<N>['response'] | Promise<Operation<N>['response']>
}

/** A real HTTP server that speaks the vault's contract with the answers of a test. */
export async function fakeVault(handlers: Handlers): Promise<{ url: string; requests: VaultRequest[] }> {
  const requests: VaultRequest[] = []
  const server = createServer(async (request, response) => {
    const asked = await readRequest(request)
    const answer = await answerOf(asked, handlers, requests, () => request.socket.destroy())
    const type = answer.status < 400 ? 'application/json' : 'application/problem+json'
    response.writeHead(answer.status, { 'content-type': type }).end(JSON.stringify(answer.body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    return new Promise<void>((resolve) => server.close(() => resolve()))
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the fake vault has no port')
  return { url: `http://127.0.0.1:${address.port}`, requests }
}

async function answerOf(
  asked: VaultRequest | undefined,
  handlers: Handlers,
  requests: VaultRequest[],
  breakOff: () => void,
) {
  try {
    if (asked === undefined) throw new Problem('not_found', 'no such endpoint')
    requests.push(asked)
    const handler = handlers[asked.operation]
    const hangUp = () => {
      breakOff()
      return new Promise<never>(() => {})
    }
    if (handler === undefined) throw new Problem('not_found', `the test answers no ${asked.operation}`)
    return { status: 200, body: await handler({ ...asked, hangUp }) }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const { status, title, hint } = errorTable[error.code]
    const problem = { type: 'about:blank', title, status, code: error.code, detail: error.message, hint }
    return { status, body: { ...problem, request_id: 'req-1', ...error.extra } }
  }
}

async function readRequest(request: IncomingMessage): Promise<VaultRequest | undefined> {
  const url = new URL(request.url ?? '', 'http://vault')
  let text = ''
  for await (const chunk of request) text += String(chunk)
  for (const operation of Object.keys(routes) as OperationName[]) {
    const [method, template] = routes[operation]
    const pattern = new RegExp(`^${template.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`)
    const match = pattern.exec(url.pathname)
    if (match === null || method !== request.method) continue
    return {
      operation,
      params: { ...match.groups },
      query: Object.fromEntries(url.searchParams),
      body: text === '' ? undefined : JSON.parse(text),
      apiKey: request.headers.authorization?.replace('Bearer ', ''),
      requestId: request.headers['x-request-id']?.toString(),
    }
  }
  return undefined
}
