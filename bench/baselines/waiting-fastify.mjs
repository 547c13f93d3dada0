// What HTTP and this machine cost when many ask at once for something that takes its time: one route that waits.
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'

// The vault's own Fastify: there is none beside this file.
const require = createRequire(new URL('../../packages/server/package.json', import.meta.url))
const app = require('fastify')()
const waitMs = Number(process.env.WAIT_MS)

app.get('/readyz', async () => ({ status: 'ok' }))
app.get('/token', async () => {
  await sleep(waitMs)
  return { token: 'of the size of one, and none', expires_at: new Date() }
})

process.once('SIGTERM', () => app.close())

await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
