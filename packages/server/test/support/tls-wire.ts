import { once } from 'node:events'
import { connect } from 'node:net'
import { createServer } from 'node:tls'
import { serverCertificate } from './certificates.ts'

/** A way to Redis by TLS: what came by it, and how many clients would not have its certificate. */
export async function startTlsWire(redisUrl: string) {
  const to = new URL(redisUrl)
  const arrived: Buffer[] = []
  const server = createServer(serverCertificate, (client) => {
    const plain = connect(Number(to.port), to.hostname)
    client.on('data', (bytes: Buffer) => arrived.push(bytes))
    client.pipe(plain).pipe(client)
    for (const [one, other] of [
      [client, plain],
      [plain, client],
    ] as const) {
      one.on('error', () => other.destroy()).on('close', () => other.destroy())
    }
  })
  let refusals = 0
  server.on('tlsClientError', () => refusals++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const url = new URL(to)
  url.protocol = 'rediss:'
  url.port = typeof address === 'object' ? String(address?.port) : ''
  return { url: url.href, arrived, refusals: () => refusals, close: () => void server.close() }
}
