import type { RequestListener } from 'node:http'
import { createServer, type ServerOptions } from 'node:https'
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls'
import { onTestFinished } from 'vitest'
import { authority, serverCertificate } from '../../support/certificates.ts'

/** A real HTTPS server on loopback, with a certificate for idp.example and localhost, until the test ends. */
export async function serveHttps(
  listener: RequestListener,
  options: ServerOptions = {},
): Promise<{ port: number }> {
  const server = createServer({ ...serverCertificate, ...options }, listener)
  const sockets = new Set<TLSSocket>()
  server.on('secureConnection', (socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  return { port: address.port }
}

/** Lets this process trust the tests' authority, until the test ends. */
export function trustAuthority(): void {
  const before = getCACertificates('default')
  setDefaultCACertificates([...before, authority])
  onTestFinished(() => setDefaultCACertificates(before))
}
