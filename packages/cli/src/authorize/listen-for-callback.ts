import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { bindLoopback, type RedirectHost } from './bind-loopback.ts'
import { judgeRequest } from './judge-request.ts'
import { type Page, sendPage, sendRefusal } from './pages.ts'

/** Where the browser ends up when the provider is done with it. */
export interface CallbackListener {
  readonly redirectUri: string
  /** Resolves to the redirected URL of the first request that carries this state and a code or an error. */
  expect(state: string): Promise<string>
  /** Shows the page to the browser that waits, and to any that comes later. Resolves when it has been sent. */
  answer(page: Page): Promise<void>
  /** Frees the port. */
  close(): Promise<void>
}

export interface ListenOptions {
  host: RedirectHost
  /** 0 for any. */
  port: number
  /** Milliseconds that a client may take for its request. */
  slowest?: number
}

/** Listens on loopback addresses only (RFC 8252 section 7.3). Throws port_taken, and usage where it may not listen. */
export async function listenForCallback({
  host,
  port,
  slowest = 10_000,
}: ListenOptions): Promise<CallbackListener> {
  const arrived = Promise.withResolvers<string>()
  const waiting = new Set<ServerResponse>()
  let state: string | undefined
  let outcome: Page | undefined

  const listener: RequestListener = (request, response) => {
    const verdict = judgeRequest(request, { redirectUri, state })
    if (verdict.kind === 'refuse') {
      sendRefusal(response, verdict)
      return
    }
    // The first one counts. A reload, or a second window, waits for the same end and sees the same page.
    arrived.resolve(verdict.redirectedUrl)
    if (outcome) {
      sendPage(response, outcome)
      return
    }
    waiting.add(response)
    response.once('close', () => waiting.delete(response))
  }

  const { servers, boundPort } = await bindLoopback(() => boundedServer(listener, slowest), host, port)
  const redirectUri = redirectUriOf(host, boundPort)

  return {
    redirectUri,
    expect(expected) {
      state = expected
      return arrived.promise
    },
    async answer(page) {
      outcome = page
      await Promise.all([...waiting].map((response) => sendPage(response, page)))
    },
    async close() {
      await Promise.all(servers.map(closeServer))
    },
  }
}

/** As URL spells it, so without port 80: the vault takes no other spelling, and providers compare letter by letter. */
export function redirectUriOf(host: RedirectHost, port: number): string {
  return new URL(`http://${host.includes(':') ? `[${host}]` : host}:${port}/callback`).href
}

function boundedServer(listener: RequestListener, slowest: number): Server {
  const server = createServer(
    {
      // A redirected URL may be long, and a browser sends along what other programs on this host left in its cookie jar.
      maxHeaderSize: 64 * 1024,
      headersTimeout: slowest,
      requestTimeout: slowest,
      connectionsCheckingInterval: Math.min(slowest, 1000),
    },
    listener,
  )
  server.maxConnections = 64
  return server
}

/** Every answer is sent by now, or its reader is gone or stuck. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
