import { randomBytes } from 'node:crypto'
import { chown, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { keepServer } from './keep-server.ts'
import { findRedis } from './redis.ts'

// Started by startRedis.

await keepServer('redis', async ({ directory, account, listen }) => {
  const program = findRedis()
  if (program === undefined) throw new Error('there is no redis-server in PATH or /usr/sbin')
  const password = randomBytes(12).toString('hex')
  const settings = join(directory, 'redis.conf')

  const port = await listen({
    command: async (freePort) => {
      const lines = [
        'bind 127.0.0.1',
        `port ${freePort}`,
        `requirepass ${password}`,
        `dir ${directory}`,
        'save ""',
      ]
      // Not as arguments, which every user of the machine can read.
      await writeFile(settings, lines.join('\n'), { mode: 0o600 })
      if (account) await chown(settings, account.uid, account.gid)
      return [program, settings]
    },
    readyWords: 'Ready to accept connections',
    endSignal: 'SIGKILL',
  })
  return `redis://:${password}@127.0.0.1:${port}/0`
})
