import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AuthconnError } from '@authconn/sdk'

export type RedirectHost = '127.0.0.1' | 'localhost' | '::1'

const anyPortAttempts = 10

/**
 * Servers on the loopback addresses that the host stands for, all on one port.
 * Throws port_taken, and usage where this machine or user cannot listen there.
 */
export async function bindLoopback(
  createServer: () => Server,
  host: RedirectHost,
  port: number,
): Promise<{ servers: Server[]; boundPort: number }> {
  if (host !== 'localhost') {
    const server = await listen(createServer(), host, port)
    return { servers: [server], boundPort: portOf(server) }
  }
  for (let attempt = 1; ; attempt++) {
    const ipv4 = await listen(createServer(), '127.0.0.1', port)
    const boundPort = portOf(ipv4)
    try {
      const ipv6 = await listenWhereThere(createServer(), '::1', boundPort)
      return { servers: ipv6 ? [ipv4, ipv6] : [ipv4], boundPort }
    } catch (error) {
      // The browser may take either address for localhost: one that is another program's would get the code.
      await new Promise((resolve) => ipv4.close(resolve))
      const another = port === 0 && attempt < anyPortAttempts
      if (!(another && error instanceof AuthconnError && error.code === 'port_taken')) throw error
    }
  }
}

/** undefined on a machine without that family of addresses. */
async function listenWhereThere(server: Server, address: string, port: number): Promise<Server | undefined> {
  try {
    return await listen(server, address, port)
  } catch (error) {
    if (error instanceof AuthconnError && isAbsent(error.cause)) return undefined
    throw error
  }
}

function listen(server: Server, address: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, address, port)))
    server.listen({ host: address, port, exclusive: true }, () => resolve(server))
  })
}

function explain(error: NodeJS.ErrnoException, address: string, port: number): Error {
  if (error.code === 'EADDRINUSE') {
    return new AuthconnError('port_taken', `Another program listens on port ${port} of ${address}.`, {
      cause: error,
    })
  }
  if (error.code === 'EACCES') {
    return new AuthconnError('usage', `Listening on port ${port} is not permitted; choose a --port above 1023.`, {
      cause: error,
    })
  }
  if (isAbsent(error)) {
    const detail = `This machine has no address ${address}; choose another --redirect-host.`
    return new AuthconnError('usage', detail, { cause: error })
  }
  return error
}

function isAbsent(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT')
  )
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address()
  if (address === null || typeof address === 'string') throw new Error('the callback listener has no port')
  return address.port
}
