import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export interface Served {
  /** http://127.0.0.1:PORT, without a slash at the end. */
  origin: string
  port: number
  /** Method and path of each request, in order. */
  requests: string[]
}

/** A real HTTP server on loopback, until the test ends. */
export async function serve(listener: RequestListener): Promise<Served> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    listener(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const port = portOf(server.address())
  return { origin: `http://127.0.0.1:${port}`, port, requests }
}

/** A server that does with a raw connection what it likes. */
export async function serveTcp(onConnection: (socket: Socket) => void): Promise<{ origin: string; port: number }> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    onConnection(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const port = portOf(server.address())
  return { origin: `http://127.0.0.1:${port}`, port }
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  return address.port
}
