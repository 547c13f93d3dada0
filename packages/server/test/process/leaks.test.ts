import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { browse, startSandbox } from '@authconn/sandbox'
import pg from 'pg'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { startCollector } from '../support/collector.ts'
import { startRecordingProxy } from '../support/recording-proxy.ts'
import { temporaryDatabase } from '../support/temporary-database.ts'
import { startVaultProcess, temporaryDirectory } from '../support/vault-process.ts'

/** A run with every happy and many unhappy turns, at the most verbose log level; resolves to all that was secret in it. */
async function eventfulRun(env: Record<string, string> & { AUTHCONN_DATA_DIR: string }) {
  const clientSecret = `client-secret-${randomBytes(16).toString('hex')}`
  const sandbox = await startSandbox({
    signingAlg: 'ES256',
    clients: [{ client_id: 'leak-client', client_secret: clientSecret }],
  })
  onTestFinished(sandbox.stop)
  const proxy = await startRecordingProxy(sandbox.issuer)
  onTestFinished(proxy.stop)
  const vault = await startVaultProcess({ ...env, AUTHCONN_LOG_LEVEL: 'trace', AUTHCONN_PROVIDER_TIMEOUT: '2' })
  const secrets = new Map<string, string>([
    ['client secret', clientSecret],
    ['administrator key', vault.credentials().api_key],
  ])
  const answers: string[] = []
  const call: typeof vault.call = async (...args) => {
    const answer = await vault.call(...args)
    // A token that was asked for belongs into the answer.
    if (!(args[0] === 'getToken' && answer.status === 200)) answers.push(JSON.stringify(answer.body))
    return answer
  }

  const connection = {
    provider_url: sandbox.issuer,
    issuer_url: sandbox.issuer,
    client_id: 'leak-client',
    client_secret: clientSecret,
    authorization_endpoint: `${sandbox.issuer}/authorize`,
    token_endpoint: `${proxy.url}/token`,
    revocation_endpoint: `${proxy.url}/revoke`,
    jwks_uri: `${sandbox.issuer}/jwks`,
  }
  const consent = async (name: string) => {
    const started = await vault.call('startAuthorization', {
      params: { name },
      body: { scopes: ['openid', 'email'], redirect_uri: 'http://127.0.0.1:8080/callback' },
    })
    const { searchParams } = new URL(started.body.authorization_url)
    secrets.set(`state of ${started.body.id}`, searchParams.get('state') ?? '')
    secrets.set(`nonce of ${started.body.id}`, searchParams.get('nonce') ?? '')
    const { redirectedUrl } = await browse(started.body.authorization_url)
    secrets.set(`code of ${started.body.id}`, new URL(redirectedUrl).searchParams.get('code') ?? '')
    return { id: started.body.id as string, redirectedUrl }
  }
  const complete = ({ id, redirectedUrl }: { id: string; redirectedUrl: string }) =>
    call('completeAuthorization', { params: { id }, body: { redirected_url: redirectedUrl } })

  // The happy turns: with a refresh, a refresh token handed out, and a revocation.
  sandbox.setAccessTokenTtl(1)
  expect((await call('createConnection', { body: { name: 'happy', ...connection } })).status).toBe(201)
  const first = await consent('happy')
  expect((await complete(first)).status).toBe(200)
  await sleep(1000)
  const reader = await vault.call('createCaller', {
    body: { name: 'reader', permissions: ['token:read', 'refresh_token:read'] },
  })
  secrets.set('key of a caller', reader.body.api_key)
  const token = await vault.call('getToken', { params: { name: 'happy' } }, reader.body.api_key)
  expect(token.body.refresh_token).toBeTruthy()

  // The unhappy ones: replayed and tampered callbacks, keys and providers gone wrong.
  await complete(first)
  const tampered = await consent('happy')
  await complete({ ...tampered, redirectedUrl: tampered.redirectedUrl.replace('state=', 'state=x') })
  await complete({ ...tampered, redirectedUrl: `${tampered.redirectedUrl}&code=twice` })
  for (const kind of [
    'truncated_json',
    'html',
    'error_in_200',
    'wrong_id_token_signature',
    'reset_after',
    'hang',
  ] as const) {
    const pending = await consent('happy')
    sandbox.faults.set('token', { kind })
    expect((await complete(pending)).status).toBeGreaterThanOrEqual(400)
    sandbox.faults.clear()
  }
  await sleep(1000)
  for (const kind of ['truncated_json', 'control_characters', 'oauth_error'] as const) {
    sandbox.faults.set('token', kind === 'oauth_error' ? { kind, error: 'invalid_grant' } : { kind })
    const query = { force_refresh: true }
    await call('getToken', { params: { name: 'happy' }, query }, reader.body.api_key)
    sandbox.faults.clear()
    await sleep(2200)
  }
  // A client secret that the provider does not know yet, beside the one that it knows.
  const next = `next-secret-${randomBytes(16).toString('hex')}`
  secrets.set('new client secret', next)
  await call('updateConnection', { params: { name: 'happy' }, body: { client_secret: next } })
  expect((await complete(await consent('happy'))).status).toBe(200)
  await call('getToken', { params: { name: 'happy' }, query: { force_refresh: true } })
  expect((await call('listEvents', { params: { name: 'happy' } })).body.events.length).toBeGreaterThan(0)
  const metrics = await fetch(`${vault.url}/metrics`, {
    headers: { authorization: `Bearer ${vault.credentials().api_key}` },
  })
  expect(metrics.status).toBe(200)
  answers.push(await metrics.text())
  const wrong = `wrong-secret-${randomBytes(16).toString('hex')}`
  secrets.set('wrong client secret', wrong)
  await call('createConnection', { body: { name: 'wrong', ...connection, client_secret: wrong } })
  await complete(await consent('wrong'))
  const mistyped = `${vault.credentials().api_key.slice(0, -1)}_`
  secrets.set('mistyped key', mistyped)
  await call('listConnections', {}, mistyped)
  // Where a secret does not belong: in a field that is no field, in a path, in a query.
  await call('createConnection', { body: { name: 'typo', secret: clientSecret } as never })
  await fetch(`${vault.url}/callback?code=${secrets.get(`code of ${first.id}`)}&token=${token.body.access_token}`)

  expect((await complete(await consent('happy'))).status).toBe(200)
  sandbox.faults.set('revocation', { kind: 'status', status: 500 })
  expect((await call('revokeGrant', { params: { name: 'happy' }, body: {} })).body.upstream).toBe('retrying')
  sandbox.faults.clear()

  for (const [index, { sent, received }] of proxy.seen.entries()) {
    for (const name of ['code', 'code_verifier', 'refresh_token', 'token', 'client_secret']) {
      const value = sent.get(name)
      if (value) secrets.set(`${name} sent in call ${index}`, value)
    }
    for (const [name, value] of received) secrets.set(`${name} received in call ${index}`, value)
  }
  return { vault, secrets, answers }
}

/** The places, by name, in which any of the secrets stands: plain, or in base64, hex or URL encoding. */
function leaks(secrets: ReadonlyMap<string, string>, places: ReadonlyMap<string, Buffer>): string[] {
  const found: string[] = []
  for (const [what, secret] of secrets) {
    const bytes = Buffer.from(secret)
    const spellings = {
      plain: bytes,
      base64: Buffer.from(bytes.toString('base64').replace(/=*$/, '').slice(0, -2)),
      base64url: Buffer.from(bytes.toString('base64url').slice(0, -2)),
      hex: Buffer.from(bytes.toString('hex')),
      'URL encoding': Buffer.from(encodeURIComponent(secret)),
    }
    for (const [place, content] of places) {
      for (const [spelling, needle] of Object.entries(spellings)) {
        if (content.includes(needle)) found.push(`${what} in ${place} as ${spelling}`)
      }
    }
  }
  return found
}

async function dump(databaseUrl: string): Promise<Buffer> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  const tables = await client.query("select tablename from pg_tables where schemaname = 'public' order by 1")
  const parts: Buffer[] = []
  for (const { tablename } of tables.rows) {
    const { rows } = await client.query(`select * from "${tablename}"`)
    for (const row of rows) {
      for (const [column, value] of Object.entries(row)) {
        parts.push(Buffer.from(`\n${tablename}.${column}=`))
        parts.push(
          Buffer.isBuffer(value) ? value : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
        )
      }
    }
  }
  await client.end()
  return Buffer.concat(parts)
}

function files(directory: string): Map<string, Buffer> {
  const found = new Map<string, Buffer>()
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    const path = join(directory, name)
    if (statSync(path).isFile()) found.set(name, readFileSync(path))
  }
  return found
}

test.each(['plain', 'base64', 'hex', 'URL encoding'])('the search finds a secret in %s', (spelling) => {
  const secret = 'a+secret/to-be=found'
  const bytes = Buffer.from(secret)
  const written = {
    plain: secret,
    base64: bytes.toString('base64'),
    hex: bytes.toString('hex'),
    'URL encoding': encodeURIComponent(secret),
  }[spelling]
  const place = new Map([['a file', Buffer.from(`before ${written} after`)]])
  expect(leaks(new Map([['it', secret]]), place)).toContain(`it in a file as ${spelling}`)
})

describe('after an eventful run', () => {
  test('neither the database nor the logs nor any error hold a secret, on PostgreSQL', async () => {
    const database = temporaryDatabase(inject('postgresUrl'))
    await database.create()
    onTestFinished(database.drop)
    const collector = await startCollector()
    onTestFinished(collector.stop)
    const { vault, secrets, answers } = await eventfulRun({
      AUTHCONN_DATA_DIR: temporaryDirectory(),
      DATABASE_URL: database.url,
      AUTHCONN_OTLP_ENDPOINT: collector.url,
    })
    const dumped = await dump(database.url)
    expect(await vault.end('SIGTERM')).toBe(0)
    const { stdout, stderr } = vault.output()

    // That the search can find something at all: what is no secret stands where it is looked for.
    expect(dumped.includes('leak-client')).toBe(true)
    expect(stdout).toContain('refresh failed')
    expect(collector.received().toString()).toContain('provider call')
    expect(
      [...secrets.keys()].filter((what) => /code_verifier|id_token|refresh_token/.test(what)).length,
    ).toBeGreaterThan(8)
    for (const [what, secret] of secrets) expect(secret.length, what).toBeGreaterThan(15)

    const places = new Map([
      ['the database', dumped],
      ['the log', Buffer.from(stdout)],
      ['standard error', Buffer.from(stderr)],
      ['an answer', Buffer.from(answers.join('\n'))],
      ['the traces', collector.received()],
    ])
    expect(leaks(secrets, places)).toEqual([])
  }, 90_000)

  test('no file of the embedded database holds a secret', async () => {
    const directory = temporaryDirectory()
    const { vault, secrets } = await eventfulRun({ AUTHCONN_DATA_DIR: directory })
    expect(await vault.end('SIGTERM')).toBe(0)
    const places = files(directory)
    // The one place where a key belongs.
    places.delete('credentials.json')
    expect(Buffer.concat([...places.values()]).includes('leak-client')).toBe(true)
    places.set('the log', Buffer.from(vault.output().stdout))
    expect(leaks(secrets, places)).toEqual([])
  }, 90_000)
})
