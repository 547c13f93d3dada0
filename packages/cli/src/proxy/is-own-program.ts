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
  readTable: () => Promise<string> = readSockets,
): Promise<boolean | undefined> {
  const { localAddress, localPort, remoteAddress, remotePort } = connection
  // A client that has left already gets no answer, so nothing is to be done for it.
  if (localAddress === undefined || remoteAddress === undefined) return false
  const sockets = parse(await readTable())
  const here = asListed(localAddress, localPort)
  const there = asListed(remoteAddress, remotePort)
  if (!sockets.some(({ local, state }) => local === here && state === listening)) return undefined
  const peer = sockets.find(({ local, remote }) => local === there && remote === here)
  // One that its program has closed already is listed as root's.
  return peer?.state === established && (peer.uid === process.getuid?.() || peer.uid === 0)
}

const established = '01'
const listening = '0A'

/** Both tables: a program that calls by an IPv6 socket, as Java's do, is in the second with its address of IPv4. */
async function readSockets(): Promise<string> {
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map(readWhereThere))
  return tables.join('')
}

async function readWhereThere(file: string): Promise<string> {
  try {
    return await readFile(file, 'latin1')
  } catch (error) {
    // Not Linux, no IPv6, or a sandbox that hides them.
    if (['ENOENT', 'EACCES', 'EPERM'].includes(String((error as NodeJS.ErrnoException).code))) return ''
    throw error
  }
}

/** proc(5): number, local and remote address, state, four fields more, and the user; a line of headings before each table. */
function parse(tables: string) {
  return tables
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .map(([, local = '', remote = '', state, , , , uid]) => ({
      local: withoutPrefix(local),
      remote: withoutPrefix(remote),
      state,
      uid: Number(uid),
    }))
}

/** An address of IPv4 in an IPv6 socket (RFC 4291 section 2.5.5.2), which is listed in words of four bytes. */
function withoutPrefix(address: string): string {
  const prefix = `${'0'.repeat(16)}${endianness() === 'LE' ? 'FFFF0000' : '0000FFFF'}`
  return address.startsWith(prefix) ? address.slice(prefix.length) : address
}

/** The four bytes of an address as a number of this machine, in hex. */
function asListed(address: string, port = 0): string {
  const bytes = Buffer.from(address.split('.').map(Number))
  if (endianness() === 'LE') bytes.reverse()
  return `${bytes.toString('hex')}:${port.toString(16).padStart(4, '0')}`.toUpperCase()
}
