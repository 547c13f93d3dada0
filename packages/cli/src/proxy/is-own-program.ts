import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { endianness } from 'node:os'

/**
 * Whether a connection over loopback comes from a program of the user who runs this one, or of root, who needs no proxy to
 * get at a token. Linux lists the owner of every socket; elsewhere, and where that list does not hold this process's own
 * sockets, nobody can say, and undefined comes back.
 */
export async function isOwnProgram(
  connection: Pick<Socket, 'localAddress' | 'localPort' | 'remoteAddress' | 'remotePort'>,
  readTable: () => Promise<string | undefined> = readSockets,
): Promise<boolean | undefined> {
  const { localAddress, localPort, remoteAddress, remotePort } = connection
  // A client that has left already gets no answer, so nothing is to be done for it.
  if (localAddress === undefined || remoteAddress === undefined) return false
  const sockets = parse((await readTable()) ?? '')
  const here = asListed(localAddress, localPort)
  if (!sockets.some(({ local, state }) => local === here && state === listening)) return undefined
  const peer = sockets.find(
    ({ local, remote }) => local === asListed(remoteAddress, remotePort) && remote === here,
  )
  // One that its program has closed already is listed as root's.
  return peer?.state === established && (peer.uid === process.getuid?.() || peer.uid === 0)
}

const established = '01'
const listening = '0A'

async function readSockets(): Promise<string | undefined> {
  try {
    return await readFile('/proc/net/tcp', 'latin1')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** proc(5): number, local and remote address, state, four fields more, and the user. */
function parse(table: string) {
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .map(([, local, remote, state, , , , uid]) => ({ local, remote, state, uid: Number(uid) }))
}

/** The four bytes of an address as a number of this machine, in hex. */
function asListed(address: string, port = 0): string {
  const bytes = Buffer.from(address.split('.').map(Number))
  if (endianness() === 'LE') bytes.reverse()
  return `${bytes.toString('hex')}:${port.toString(16).padStart(4, '0')}`.toUpperCase()
}
