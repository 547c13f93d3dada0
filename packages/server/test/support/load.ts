import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface Load {
  url: string
  /** The address of this machine to come from. */
  from: string
  connections: number
  seconds: number
  path: string
  /** API keys, sent in turn. */
  keys: readonly string[]
}

/** How many answers there were, by status. */
export type Answers = Record<number, number>

/** Asks over so many connections at a time, each again as soon as it is answered. */
export async function putLoad(load: Load): Promise<Answers> {
  const answers: Answers = {}
  const end = performance.now() + 1000 * load.seconds
  await Promise.all(
    Array.from({ length: load.connections }, async (_, index) => {
      const socket = connect({ host: '127.0.0.1', port: Number(new URL(load.url).port), localAddress: load.from })
      await once(socket, 'connect')
      await askAgain(socket, load, { index, end, answers })
    }),
  )
  return answers
}

function askAgain(
  socket: Socket,
  { path, keys, connections }: Load,
  { index, end, answers }: { index: number; end: number; answers: Answers },
): Promise<void> {
  let asked = index
  let received = ''
  const ask = () => {
    const key = keys[asked % keys.length]
    asked += connections
    socket.write(`GET ${path} HTTP/1.1\r\nhost: vault\r\nauthorization: Bearer ${key}\r\n\r\n`)
  }
  return new Promise((resolve, reject) => {
    socket.on('error', reject).on('close', () => reject(new Error('the vault closed the connection')))
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      received += chunk
      const head = received.indexOf('\r\n\r\n')
      if (head === -1) return
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(received)?.[1])
      if (received.length < head + 4 + length) return
      const status = Number(received.slice(9, 12))
      answers[status] = (answers[status] ?? 0) + 1
      received = ''
      if (performance.now() < end) return ask()
      socket.removeAllListeners('close').destroy()
      resolve()
    })
    ask()
  })
}
