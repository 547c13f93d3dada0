import { createServer, type Socket } from 'node:net'

/** A Redis to which no password is the right one: what clients do with theirs then is what is looked at. */
export async function startRefusingRedis() {
  const sockets = new Set<Socket>()
  let asked = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy())
    socket.on('data', () => {
      asked++
      socket.write('-WRONGPASS invalid username-password pair or user is disabled.\r\n')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    asked: () => asked,
    stop() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
