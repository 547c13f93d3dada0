import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { isOwnProgram } from '../src/proxy/is-own-program.ts'

async function connected(host = '127.0.0.1') {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const client = connect(port, host)
  const [socket] = await accepted
  onTestFinished(() => {
    client.destroy()
    socket.destroy()
    server.close()
  })
  return { client, socket }
}

const header = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode'
const row = (local: string, remote: string, state: string, uid: number) =>
  `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000  ${uid}        0 4711 1 0000000000000000`
const listener = row('0100007F:1F90', '00000000:0000', '0A', 1000)
const connection = { localAddress: '127.0.0.1', localPort: 8080, remoteAddress: '127.0.0.1', remotePort: 50_000 }
const judge = (...rows: string[]) => isOwnProgram(connection, async () => [header, ...rows, ''].join('\n'))
/** Before an address of IPv4 in the table of IPv6. */
const mapped = '0000000000000000FFFF0000'
const own = process.getuid?.() ?? 0

describe.runIf(process.platform === 'linux')('whose a connection is', () => {
  test('is told by the system for a connection of this user', async () => {
    expect(await isOwnProgram((await connected()).socket)).toBe(true)
  })

  test('is told for a program that calls by an IPv6 socket, as Java does', async () => {
    expect(await isOwnProgram((await connected('::ffff:127.0.0.1')).socket)).toBe(true)
  })

  test('is not told for a connection whose client has left', async () => {
    const { client, socket } = await connected()
    client.resetAndDestroy()
    await once(socket.resume(), 'close').catch(() => undefined)
    expect(await isOwnProgram(socket)).toBe(false)
  })
})

describe('a list of sockets', () => {
  test.each([
    ['of this user', [listener, row('0100007F:C350', '0100007F:1F90', '01', own)], true],
    ['of root', [listener, row('0100007F:C350', '0100007F:1F90', '01', 0)], true],
    ['of another user', [listener, row('0100007F:C350', '0100007F:1F90', '01', own + 4711)], false],
    ['that its program has closed', [listener, row('0100007F:C350', '0100007F:1F90', '06', 0)], false],
    [
      'by IPv6 of this user',
      [listener, header, row(`${mapped}0100007F:C350`, `${mapped}0100007F:1F90`, '01', own)],
      true,
    ],
    [
      'by IPv6 of another user',
      [listener, row(`${mapped}0100007F:C350`, `${mapped}0100007F:1F90`, '01', own + 1)],
      false,
    ],
    ['that is not there any more', [listener], false],
    ['to another port alone', [listener, row('0100007F:C350', '0100007F:1F91', '01', own)], false],
    ['in a list that does not hold this process', [row('0100007F:C350', '0100007F:1F90', '01', own)], undefined],
  ])('with a connection %s', async (_, rows, expected) => {
    expect(await judge(...rows)).toBe(expected)
  })

  test('that is not there says nothing', async () => {
    expect(await isOwnProgram(connection, async () => '')).toBeUndefined()
  })
})
