// What Fastify and this machine can do at most: a route that gives a constant answer, of the same headers and size as
// one of the vault.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

// The vault's own Fastify: there is none beside this file.
const require = createRequire(new URL('../../packages/server/package.json', import.meta.url))
const app = require('fastify')({ keepAliveTimeout: 65_000 })
const { headers, body } = JSON.parse(readFileSync(process.env.ANSWER_FILE, 'utf8'))

app.get('/readyz', async () => ({ status: 'ok' }))

app.get('/v1/connections/:name/token', async (_request, reply) => {
  reply.headers(headers)
  return body
})

process.once('SIGTERM', () => app.close())

await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
