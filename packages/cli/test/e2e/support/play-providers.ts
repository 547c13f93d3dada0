import { once } from 'node:events'
import { createServer as createProxy, type IncomingHttpHeaders } from 'node:http'
import { createServer, request as httpsRequest } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { authority, providerCertificate } from './provider-certificate.ts'

export interface Call {
  method: string
  /** With the host that TLS was asked for. */
  url: URL
  headers: IncomingHttpHeaders
  form: Record<string, string>
}

export interface Answer {
  status?: number
  location?: string
  json?: unknown
}

/** The answers of a provider, by `GET https://host/path`. */
export type Play = Readonly<Record<string, (call: Call) => Answer>>

export interface PlayedProviders {
  /** A proxy that leads every host to them: the vault has it resolve their names (AUTHCONN_PROXY_NAMES). */
  proxyUrl: string
  /** What they were asked since the last time. */
  calls(): Call[]
  /** Where a browser ends that goes there and follows one redirect. */
  browse(url: string): Promise<string>
  close(): Promise<void>
}

/** An HTTPS server in place of providers of the internet, under their own names. What no play answers is a 404. */
export async function playProviders(...plays: Play[]): Promise<PlayedProviders> {
  const answers: Play = Object.assign({}, ...plays)
  let calls: Call[] = []
  const server = createServer(providerCertificate, async (request, response) => {
    const { headers, method = '' } = request
    const host = String(Reflect.get(request.socket, 'servername'))
    const url = new URL(request.url ?? '', `https://${host}`)
    const call = { method, url, headers, form: Object.fromEntries(new URLSearchParams(await text(request))) }
    calls.push(call)
    const answer = answers[`${method} ${url.origin}${url.pathname}`]?.(call) ?? { status: 404 }
    const { status = 200, location, json } = answer
    response.writeHead(status, {
      ...(location === undefined ? {} : { location }),
      'content-type': 'application/json',
    })
    response.end(json === undefined ? '' : JSON.stringify(json))
  })
  const port = await listen(server)

  const sockets = new Set<Socket>()
  const proxy = createProxy().on('connect', (_request, client: Socket) => {
    const upstream = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.pipe(client).pipe(upstream)
    })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
    }
  })
  const proxyPort = await listen(proxy)

  return {
    proxyUrl: `http://127.0.0.1:${proxyPort}`,
    calls() {
      const since = calls
      calls = []
      return since
    },
    async browse(url) {
      const { hostname } = new URL(url)
      const options = { ca: authority, servername: hostname, hostname: '127.0.0.1', port }
      const request = httpsRequest(url, options).end()
      const [response] = await once(request, 'response')
      response.resume()
      const { location } = response.headers
      if (location === undefined) throw new Error(`${hostname} answered ${response.statusCode} to the browser`)
      return location
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await Promise.all([server, proxy].map((each) => new Promise((resolve) => each.close(resolve))))
    },
  }
}

async function listen(server: { listen(port: number, host: string): unknown; address(): unknown }) {
  server.listen(0, '127.0.0.1')
  await once(server as never, 'listening')
  return (server.address() as AddressInfo).port
}
