import { once } from 'node:events'
import type { RequestListener, Server } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { answerBrokenRequest } from './broken-request.ts'
import { createServer, replaceCertificate, type TlsMaterial } from './create-server.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** At one more address, once it listens at its first. */
    listenAlso(host: string, port: number): Promise<void>
    /** For new connections; those that are open stay as they are. Throws where there is no TLS. */
    replaceCertificate(tls: TlsMaterial): void
  }
}

/**
 * The servers of one app: the first is its own, and each further one is for a further address. With servers of our own
 * Fastify does not make the second, which localhost needs.
 */
export function createServers(options: {
  tls: TlsMaterial | undefined
  maxConnections: number
  /** Told at most once a minute. */
  onFull(): void
}) {
  const { tls, maxConnections } = options
  const onFull = onceAMinute(options.onFull)
  const servers: Server[] = []
  let listener: RequestListener | undefined

  function add(): Server {
    if (!listener) throw new Error('the app has no server yet')
    const server = createServer(listener, { tls, maxConnections, onFull })
    servers.push(server)
    return server
  }

  return {
    /** For Fastify. */
    serverFactory(given: RequestListener): Server {
      listener = given
      return add()
    },
    register(app: FastifyInstance): void {
      app.decorate('listenAlso', async (host: string, port: number) => {
        const server = add().on('clientError', answerBrokenRequest).listen(port, host)
        await once(server, 'listening')
      })
      app.decorate('replaceCertificate', (next: TlsMaterial) => {
        for (const server of servers) replaceCertificate(server, next)
      })
      app.addHook('preClose', async () => {
        for (const server of servers.filter((each) => each !== app.server)) {
          server.close()
          server.closeIdleConnections()
        }
      })
    },
  }
}

function onceAMinute(tell: () => void): () => void {
  let told = Number.NEGATIVE_INFINITY
  return () => {
    if (performance.now() - told < 60_000) return
    told = performance.now()
    tell()
  }
}
