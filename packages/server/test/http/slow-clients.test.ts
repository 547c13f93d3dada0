import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { noteAnswer } from '../../../../test/support/provoked-errors.ts'
import { useVault } from '../support/vault.ts'

const most = 20
const vault = useVault({ environment: { AUTHCONN_MAX_CONNECTIONS: String(most) } })
let port: number

beforeAll(async () => {
  await vault.vault.app.listen({ host: '127.0.0.1', port: 0 })
  const address = vault.vault.app.server.address()
  port = typeof address === 'object' ? (address?.port ?? 0) : 0
})
afterAll(() => vault.vault.app.server.closeAllConnections())

async function open() {
  const socket = connect(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  const seen = { text: '' }
  socket.setEncoding('utf8').on('data', (text) => {
    seen.text += text
  })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  return { socket, seen, closed }
}

/** A byte every now and then, so that no pause is long. */
function drip(socket: Socket, bytes: string): void {
  let sent = 0
  const timer = setInterval(() => {
    if (sent < bytes.length && socket.writable) socket.write(bytes.charAt(sent++))
  }, 250)
  socket.once('close', () => clearInterval(timer))
}

async function isServed(): Promise<boolean> {
  const { socket, seen } = await open()
  socket.write('GET /healthz HTTP/1.1\r\nHost: vault\r\n\r\n')
  await Promise.race([once(socket, 'data'), once(socket, 'close'), sleep(2000)])
  return seen.text.startsWith('HTTP/1.1 200')
}

describe('a slow client is cut off', { timeout: 60_000 }, () => {
  test('when it says nothing, drips its head, or drips its body, however steadily', async () => {
    const started = performance.now()
    const [mute, head, body] = await Promise.all([open(), open(), open()])
    drip(head.socket, `GET /healthz HTTP/1.1\r\nHost: vault\r\n${'x-a: b\r\n'.repeat(200)}`)
    body.socket.write(
      `POST /v1/connections HTTP/1.1\r\nHost: vault\r\nAuthorization: Bearer ${vault.adminKey}\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n`,
    )
    drip(body.socket, ' '.repeat(5000))

    const after = async ({ closed }: { closed: Promise<void> }) => {
      await closed
      return (performance.now() - started) / 1000
    }
    const [muteEnd, headEnd, bodyEnd] = await Promise.all([after(mute), after(head), after(body)])
    expect(muteEnd).toBeLessThan(18)
    expect(headEnd).toBeLessThan(18)
    expect(bodyEnd).toBeLessThan(29)
    for (const { seen } of [mute, head, body]) {
      expect(seen.text).toMatch(/^HTTP\/1\.1 408 /)
      const [, body = ''] = seen.text.split('\r\n\r\n')
      const answer = { status: 408, body: JSON.parse(body) }
      noteAnswer(answer)
      expect(answer.body.code).toBe('request_timeout')
    }
  })

  test('and does not keep others out meanwhile, however many connections it opens', async () => {
    const crowd = await Promise.all(Array.from({ length: 3 * most }, open))
    for (const { socket } of crowd) socket.write('GET /healthz HTTP/1.1\r\n')
    expect(await isServed()).toBe(true)
    const left = () => crowd.filter(({ socket }) => !socket.destroyed).length
    await expect.poll(left).toBeLessThanOrEqual(most)
  })
})

test('when all connections are in use, the one that waits for its next request makes room, and those at work do not', async () => {
  const idle = await open()
  idle.socket.write('GET /healthz HTTP/1.1\r\nHost: vault\r\n\r\n')
  await once(idle.socket, 'data')
  const busy = await Promise.all(Array.from({ length: most - 1 }, open))
  for (const { socket } of busy) {
    // Its head is complete and its body is not: the vault waits for the rest.
    socket.write(
      `POST /v1/connections HTTP/1.1\r\nHost: vault\r\nAuthorization: Bearer ${vault.adminKey}\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n`,
    )
  }
  await expect.poll(() => vault.vault.app.load.underWay(), { timeout: 10_000 }).toBe(most - 1)
  expect(await isServed()).toBe(true)
  await idle.closed
  expect(busy.filter(({ socket }) => socket.destroyed)).toHaveLength(0)
})
