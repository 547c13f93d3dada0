import { connect, createServer, type Socket } from 'node:net'

/** A way to the database that can be cut, silenced and mended. */
export async function startWire(databaseUrl: string) {
  const to = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  const silencers = new Set<AbortController>()
  let cut = false
  let silent = false
  const server = createServer((client) => {
    if (cut) return void client.destroy()
    const database = connect(Number(to.port), to.hostname)
    for (const socket of [client, database]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket))
    }
    // A silent wire stays open and swallows everything, as a machine that lost its power does.
    const dead = new AbortController()
    silencers.add(dead)
    client.on('data', (bytes) => silent || dead.signal.aborted || database.write(bytes))
    database.on('data', (bytes) => silent || dead.signal.aborted || client.write(bytes))
    client.on('close', () => database.destroy())
    database.on('close', () => client.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const url = new URL(databaseUrl)
  url.port = typeof address === 'object' ? String(address?.port) : ''
  url.hostname = '127.0.0.1'
  const destroyAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: url.href,
    cut() {
      cut = true
      destroyAll()
    },
    silence() {
      silent = true
      // For good, as what was lost on the way does not come later.
      for (const dead of silencers) dead.abort()
    },
    mend() {
      cut = false
      silent = false
    },
    close() {
      server.close()
      destroyAll()
    },
  }
}
