import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

interface Connection {
  socket: Socket
  /** To its latest request; undefined: it has not sent a whole head yet. */
  response: ServerResponse | undefined
}

/**
 * Keeps a server to so many connections, so that who opens thousands and sends nothing takes up no more memory and no
 * more file descriptors. When there are too many, the newest takes the place of the one that has waited longest without
 * a request, then of the oldest that nothing is being done for: slow clients make room, and not those that are served.
 */
export function boundConnections(
  server: Server,
  { most, isTls, onFull }: { most: number; isTls: boolean; onFull: () => void },
): void {
  const silent = new Set<Connection>()
  const known = new Set<Connection>()
  const bySocket = new WeakMap<Socket, Connection>()
  const byPeer = new Map<string, Connection>()

  server.on('connection', (socket: Socket) => {
    const connection: Connection = { socket, response: undefined }
    const peer = peerOf(socket)
    silent.add(connection)
    bySocket.set(socket, connection)
    if (isTls) byPeer.set(peer, connection)
    socket.once('close', () => {
      silent.delete(connection)
      known.delete(connection)
      if (byPeer.get(peer) === connection) byPeer.delete(peer)
    })
    if (silent.size + known.size > most) {
      onFull()
      makeRoom(connection)
    }
  })
  // Requests then come from a socket of its own, around that of the connection.
  server.on('secureConnection', (socket: Socket) => {
    const connection = byPeer.get(peerOf(socket))
    if (connection) bySocket.set(socket, connection)
  })
  server.on('request', (request, response) => {
    const connection = bySocket.get(request.socket)
    if (!connection) return
    if (!connection.response) {
      silent.delete(connection)
      known.add(connection)
    }
    connection.response = response
  })

  function makeRoom(newest: Connection): void {
    const [longest = newest] = silent
    const leaving = longest === newest ? (findIdle() ?? newest) : longest
    leaving.socket.destroy()
    // At once, and not when the socket has closed: more may come in the same turn.
    silent.delete(leaving)
    known.delete(leaving)
  }

  /** One whose answer has been given, whether it has been read or not. */
  function findIdle(): Connection | undefined {
    for (const connection of known) if (connection.response?.writableEnded) return connection
    return undefined
  }
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}
