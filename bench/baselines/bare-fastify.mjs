// What Fastify and pg cost by themselves. It is copied into the installation to be compared with, and uses its modules.
import Fastify from 'fastify'
import pg from 'pg'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
const app = Fastify()

app.get('/readyz', async () => {
  await pool.query('select 1')
  return { status: 'ok' }
})

app.get('/token', async () => {
  const { rows } = await pool.query('select gen_random_uuid() as token, now() as expires_at')
  return rows[0]
})

process.once('SIGTERM', async () => {
  await app.close()
  await pool.end()
})

await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
