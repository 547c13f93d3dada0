// The route that a competent developer writes in an afternoon instead of using a vault: who asks, what for, decrypt,
// record, answer. It refreshes nothing, and has neither limits nor logs. PREPARED has the driver prepare its statements
// once a connection, which one asks for by naming them, and which few do.
import { createDecipheriv, createHash } from 'node:crypto'
import { createRequire } from 'node:module'

// The vault's own Fastify and driver: there are none beside this file.
const require = createRequire(new URL('../../packages/server/package.json', import.meta.url))
const pg = require('pg')
const app = require('fastify')({ keepAliveTimeout: 65_000 })

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: Number(process.env.POOL_SIZE) })
const encryptionKey = Buffer.from(process.env.ENCRYPTION_KEY, 'base64')

function query(name, text, values) {
  return process.env.PREPARED === 'true' ? pool.query({ name, text, values }) : pool.query(text, values)
}

app.get('/readyz', async () => {
  await pool.query('select 1')
  return { status: 'ok' }
})

app.get('/v1/connections/:name/token', async (request, reply) => {
  const key = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1]
  if (!key) return reply.code(401).send({ error: 'unauthorized' })
  const hash = createHash('sha256').update(key).digest()
  const callers = await query(
    'caller',
    'select id, connections from callers where key_hash = $1 and revoked_at is null and (expires_at is null or expires_at > now())',
    [hash],
  )
  const caller = callers.rows[0]
  if (!caller) return reply.code(401).send({ error: 'unauthorized' })

  const { name } = request.params
  if (!caller.connections.includes('*') && !caller.connections.includes(name)) {
    return reply.code(403).send({ error: 'forbidden' })
  }
  const grants = await query(
    'grant',
    'select access_token, token_type, scope, expires_at, version from grants where connection = $1 and revoked_at is null',
    [name],
  )
  const grant = grants.rows[0]
  if (!grant) return reply.code(404).send({ error: 'not_found' })

  const accessToken = decrypt(grant.access_token)
  await query(
    'audit',
    'insert into audit_log (caller_id, action, connection, address, request_id) values ($1, $2, $3, $4, $5)',
    [caller.id, 'token:read', name, request.ip, request.id],
  )
  reply.header('cache-control', 'no-store')
  return {
    access_token: accessToken,
    token_type: grant.token_type,
    expires_at: grant.expires_at,
    version: grant.version,
    scope: grant.scope,
  }
})

function decrypt(sealed) {
  const decipher = createDecipheriv('aes-256-gcm', encryptionKey, sealed.subarray(0, 12))
  decipher.setAuthTag(sealed.subarray(sealed.length - 16))
  return decipher.update(sealed.subarray(12, sealed.length - 16), undefined, 'utf8') + decipher.final('utf8')
}

process.once('SIGTERM', async () => {
  await app.close()
  await pool.end()
})

await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
