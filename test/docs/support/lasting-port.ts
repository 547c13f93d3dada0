import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

const given = new Set<number>()

/**
 * A free port of this machine below those that systems hand out by themselves: it is used again and again for a minute, in
 * which something else would be given one of these.
 */
export async function lastingPort(): Promise<number> {
  const port = randomInt(20_000, 30_000)
  const server = createServer()
  const isFree = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => resolve(true))
  })
  if (isFree) await new Promise((resolve) => server.close(resolve))
  if (!isFree || given.has(port)) return lastingPort()
  given.add(port)
  return port
}
