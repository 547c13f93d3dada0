import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { pipeline } from 'node:stream'
import { AuthconnError, type Token } from '@authconn/sdk'
import { errorTable } from '@authconn/shared/errors'
import { createUpstream } from './ask-upstream.ts'
import { requestHeaders, responseHeaders } from './headers.ts'
import { isOwnProgram } from './is-own-program.ts'
import { judgeLocalRequest, type Refusal } from './judge-local-request.ts'
import { keepBody } from './kept-body.ts'

export interface ProxyOptions {
  upstream: URL
  /** 0 for any. */
  port: number
  getToken(asked: { signal: AbortSignal; rejectedVersion?: number }): Promise<Token>
}

/** A proxy on 127.0.0.1 that puts a token into what it passes on. Throws port_taken, and usage where it may not listen. */
export async function serveProxy({ upstream, port, getToken }: ProxyOptions) {
  const outbound = createUpstream(upstream)
  const server = boundedServer((request, response) => {
    serve(request, response).catch((error: unknown) => sendFailure(response, error, upstream))
  })
  /** Looked up when a connection is made, while its program cannot have closed it without losing the answer. */
  const own = new WeakMap<Socket, Promise<boolean | undefined>>()
  server.on('connection', (socket: Socket) => {
    const judged = isOwnProgram(socket)
    // Its failure is that of the requests on it, which may never come.
    judged.catch(() => undefined)
    own.set(socket, judged)
  })
  const local = `http://127.0.0.1:${await listen(server, port)}`
  const boundPort = Number(new URL(local).port || 80)

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refusal =
      judgeLocalRequest(request, boundPort, upstream.pathname.replace(/\/$/, '')) ??
      ((await own.get(request.socket)) === false ? foreign : undefined)
    if (refusal) {
      sendProblem(response, refusal.status, { title: 'The proxy refuses this request', detail: refusal.reason })
      return
    }
    const gone = new AbortController()
    // When all has been sent, the connection to the upstream is already another request's.
    response.on('close', () => response.writableFinished || gone.abort())
    try {
      await pass(request, response, gone.signal)
    } catch (error) {
      gone.abort()
      throw error
    }
  }

  async function pass(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const token = await getToken({ signal })
    const body = keepBody(request)
    const ask = (used: Token, sent: typeof body.stream | Buffer) =>
      outbound.ask({
        method: request.method ?? 'GET',
        path: request.url ?? '/',
        headers: requestHeaders(request, upstream.host, used),
        body: sent,
        signal,
      })
    let answer = await ask(token, body.stream)
    if (answer.statusCode === 401) {
      // Also where the request cannot be sent again: the next one then has another token.
      const other = await another(token, (rejectedVersion) => getToken({ signal, rejectedVersion }))
      const copy = body.copy()
      if (other !== undefined && copy !== undefined) {
        answer.destroy()
        answer = await ask(other, copy)
      }
    }
    relay(answer, response, responseHeaders(answer.rawHeaders, upstream, local))
  }

  return {
    url: local,
    async close(): Promise<void> {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      outbound.close()
      await closed
    },
  }
}

const foreign: Refusal = { status: 403, reason: 'This proxy is for programs of the user who started it.' }

function boundedServer(listener: (request: IncomingMessage, response: ServerResponse) => void): Server {
  // An upload may take as long as it goes on; the headers before it may not.
  const server = createServer({ maxHeaderSize: 64 * 1024, headersTimeout: 10_000, requestTimeout: 0 }, listener)
  server.maxConnections = 128
  return server
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'EADDRINUSE') {
        reject(new AuthconnError('usage', `Port ${port} cannot be listened on: ${cause.message}`, { cause }))
        return
      }
      const words = {
        title: 'The port is taken',
        hint: 'Choose another with --port, or --port 0 for any that is free.',
      }
      reject(
        new AuthconnError('port_taken', `Another program listens on port ${port} of 127.0.0.1.`, {
          ...words,
          cause,
        }),
      )
    })
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}

/** The token to use instead of the refused one; undefined when the vault has no other. Throws what the vault says. */
async function another(refused: Token, get: (rejected: number) => Promise<Token>): Promise<Token | undefined> {
  try {
    const token = await get(refused.version)
    return token.version === refused.version ? undefined : token
  } catch (error) {
    if (error instanceof AuthconnError && error.code === 'grant_not_refreshable') return undefined
    throw error
  }
}

function relay(answer: IncomingMessage, response: ServerResponse, headers: string[]): void {
  response.sendDate = false
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers)
  // What has come is for the program at once, as with events.
  response.flushHeaders()
  // Where either end breaks off, so does the other: an answer that is cut off must not look complete.
  pipeline(answer, response, () => {})
}

function sendFailure(response: ServerResponse, error: unknown, upstream: URL): void {
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  if (error instanceof AuthconnError) {
    const { code, title, detail, hint, retryAfter } = error
    const passing = errorTable[code].kind === 'unavailable'
    if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter)
    // Not the vault's own status: a 401 from it would read as one of the API.
    sendProblem(response, passing ? 503 : 502, { code, title, detail, hint })
    return
  }
  const reason = error instanceof Error ? ('code' in error && String(error.code)) || error.message : String(error)
  sendProblem(response, 502, { title: 'The upstream cannot be reached', detail: `${upstream.origin}: ${reason}` })
}

function sendProblem(response: ServerResponse, status: number, problem: object): void {
  const body = JSON.stringify({ ...problem, status })
  // What is left of the request is not read.
  response.writeHead(status, { 'content-type': 'application/problem+json', connection: 'close' }).end(body)
}
