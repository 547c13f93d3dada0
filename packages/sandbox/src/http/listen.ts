import { once } from 'node:events'
import type { Server } from 'node:http'

/** The port that was asked for belongs to another process. */
export class PortTakenError extends Error {
  override name = 'PortTakenError'
}

/** Where the server listens, once it does. Throws PortTakenError. */
export async function listen(server: Server, port: number, host: string): Promise<{ port: number; url: string }> {
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (cause) {
    if (!isTaken(cause)) throw cause
    throw new PortTakenError(`Port ${port} on ${host} is taken by another process`, { cause })
  }
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new TypeError('A TCP server has an address object')
  return { port: address.port, url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}` }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
}
