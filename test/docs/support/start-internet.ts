import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createSecureContext } from 'node:tls'
import { createSigningKey } from '../../../packages/server/test/oauth/support/signing.ts'
import { makeCertificates } from './make-certificates.ts'
import { playJobs } from './play-jobs.ts'
import { playProvider } from './play-provider.ts'

/**
 * The internet of the documentation: an HTTP proxy behind which every name has a certificate of one authority, in a file
 * of that directory. Names that `leadsTo` knows are passed on to a program of this machine, all others are played.
 */
export async function startInternet(directory: string, leadsTo: (host: string) => string | undefined) {
  const certificates = makeCertificates(directory)
  const key = createSigningKey('docs')
  const [jobs, provider] = [playJobs(key), playProvider(key)]
  const tls = createTlsServer({
    ...certificates.forName('localhost'),
    SNICallback: (name, done) => done(null, createSecureContext(certificates.forName(name))),
  })
  tls.on('request', (incoming: IncomingMessage, response: ServerResponse) => {
    serve(incoming, response).catch(() => response.destroy())
  })

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { headers, method = 'GET', url = '/' } = incoming
    const target = leadsTo(headers.host ?? '')
    if (target !== undefined) {
      const { host: _, ...others } = headers
      const passed = request(new URL(url, target), { method, headers: others, agent: false }, (from) => {
        response.writeHead(from.statusCode ?? 502, from.headers)
        from.pipe(response)
      })
      passed.on('error', () => response.destroy())
      incoming.pipe(passed)
      return
    }
    let body = ''
    for await (const chunk of incoming.setEncoding('utf8')) body += chunk
    const call = { method, url: new URL(url, `https://${headers.host}`), headers, body }
    const found = jobs.answer(call) ?? provider(call)
    response.writeHead(found.status, { 'content-type': 'application/json', ...found.headers })
    response.end(found.body === undefined ? '' : JSON.stringify(found.body))
  }

  const proxy = createServer()
  const sockets = new Set<{ destroy(): void }>()
  proxy.on('connect', (_request, socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
    tls.emit('connection', socket)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve))

  return {
    proxyUrl: `http://127.0.0.1:${portOf(proxy)}`,
    /** Where it is at localhost, for what goes by no proxy. */
    port: portOf(tls),
    authority: certificates.authority,
    jobs,
    /** Where a browser that goes to that address ends. */
    visit: (url: string): string =>
      provider({ method: 'GET', url: new URL(url), headers: {}, body: '' }).headers?.location ?? '',
    stop() {
      for (const socket of sockets) socket.destroy()
      proxy.close()
      proxy.closeAllConnections()
      tls.close()
      tls.closeAllConnections()
    },
  }
}

function portOf(server: { address(): unknown }): number {
  const address = server.address()
  if (typeof address === 'object' && address !== null && 'port' in address) return Number(address.port)
  throw new Error('it listens on no port')
}
