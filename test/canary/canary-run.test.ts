import { createPrivateKey, randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { startSandbox } from '@authconn/sandbox'
import { describe, expect, onTestFinished, test } from 'vitest'
import { selfSigned } from '../../packages/server/test/oauth/support/self-signed.ts'
import { askDatabase } from '../../packages/server/test/support/ask-database.ts'
import { startCollector } from '../../packages/server/test/support/collector.ts'
import { dumpDatabase } from '../../packages/server/test/support/dump-database.ts'
import { startPostgres } from '../../packages/server/test/support/postgres.ts'
import { putEmptyDatabase } from '../../packages/server/test/support/put-empty-database.ts'
import { startRecordingProxy } from '../../packages/server/test/support/recording-proxy.ts'
import { temporaryDatabase } from '../../packages/server/test/support/temporary-database.ts'
import {
  runServer,
  startVaultProcess,
  temporaryDirectory,
} from '../../packages/server/test/support/vault-process.ts'
import { type Canaries, createCanaries } from './support/canaries.ts'
import { createCommandLine } from './support/command-line.ts'
import { filesOf } from './support/places.ts'
import { startRefusingRedis } from './support/redis-that-refuses.ts'
import { playScenario } from './support/scenario.ts'
import { createSearch } from './support/search.ts'
import { unwrappedKeys } from './support/unwrapped-keys.ts'
import { watchAnswers } from './support/vault-under-watch.ts'

const kinds = ['PostgreSQL', 'PGlite'] as const

/** No secret, and kept as it is wherever connections are. */
const clientId = 'client-of-the-canary-run'

/** Where secrets have no business, by what it is. */
type Places = Record<string, ReadonlyMap<string, Buffer>>

describe.each(kinds)('on %s', (kind) => {
  let run: Awaited<ReturnType<typeof canaryRun>> | undefined

  test('a run has right and wrong turns, with canaries of every kind', { timeout: 240_000 }, async () => {
    run = await canaryRun(kind)
    const names = [...run.canaries.all().keys()].join('\n')
    for (const secret of [
      /^client secret$/m,
      /^wrong client secret$/m,
      /^code of /m,
      /^code_verifier sent/m,
      /^state /m,
      /^nonce /m,
      /^access_token received/m,
      /^refresh_token received/m,
      /^id_token received/m,
      /^device_code /m,
      /^assertion sent/m,
      /^private key of a service account$/m,
      /^administrator key$/m,
      /^operator key$/m,
      /^api_key of createCaller/m,
      /^api_key of rotateCaller/m,
      /^access_token of exchangeToken/m,
      /^OIDC token that is taken$/m,
      /^OIDC token whose issuer is down$/m,
      /^API key \(cli\)$/m,
      /^proof key$/m,
      /^key-encryption key$/m,
      /^data key /m,
      /^key of audit$/m,
      /^password of Redis$/m,
      /^private key of TLS/m,
      ...(kind === 'PostgreSQL'
        ? [/^password of the database$/m, /^administrator.api_key of createWorkspace/m]
        : []),
    ]) {
      expect(names).toMatch(secret)
    }
  })

  /** What is no secret and stands in a place shows that the place was looked at. */
  const holdsNone = (place: string, landmark: string) => {
    if (!run) throw new Error('there was no run')
    const places = run.places[place] ?? new Map()
    const find = createSearch(new Map([['landmark', Buffer.from(landmark)]]))
    expect(find(places).length, `${landmark} in ${place}`).toBeGreaterThan(0)
    expect(run.search(places)).toEqual([])
  }

  if (kind === 'PostgreSQL') {
    test('the database holds no secret in any row', () => holdsNone('dump', clientId))
  }
  test('the database holds no secret in any file', () => holdsNone('database files', clientId))
  test('no log holds a secret at level trace, nor does what the server commands print', () => {
    holdsNone('log', '"msg":"refresh failed"')
    holdsNone('log', 'a token was refused')
    holdsNone('log', 'Made the operator')
  })
  test('no answer holds a secret that it is not there to bring', () =>
    holdsNone('answers', 'application/problem+json'))
  test('no metric holds a secret', () => holdsNone('metrics', 'authconn_http_request_duration_seconds'))
  test('no trace holds a secret', () => holdsNone('traces', 'completeAuthorization'))
  test('no audit record holds a secret', () => {
    holdsNone('audit', 'completeAuthorization')
    holdsNone('audit', '"why":"replayed"')
  })
  test('the command line prints no secret but what it was asked for', () =>
    holdsNone('command line', 'connection_exists'))
})

async function canaryRun(kind: (typeof kinds)[number]) {
  const canaries = createCanaries()
  const directory = temporaryDirectory()
  const clientSecret = canaries.make('client secret')
  const sandbox = await startSandbox({
    signingAlg: 'ES256',
    clients: [{ client_id: clientId, client_secret: clientSecret }],
  })
  onTestFinished(sandbox.stop)
  const proxy = await startRecordingProxy(sandbox.issuer)
  onTestFinished(proxy.stop)
  const collector = await startCollector()
  onTestFinished(collector.stop)
  const database = kind === 'PostgreSQL' ? await databaseWithPassword(canaries) : undefined
  const redis = await startRefusingRedis()
  onTestFinished(redis.stop)
  const redisPassword = canaries.make('password of Redis')
  const kek = randomBytes(32)
  canaries.note('key-encryption key', kek)
  canaries.note('key-encryption key in base64', kek.toString('base64'))
  const dataDirectory = join(directory, 'data')
  mkdirSync(dataDirectory, { mode: 0o700 })
  if (kind === 'PGlite') putEmptyDatabase(dataDirectory)
  const env = {
    ...certificate(directory, canaries),
    AUTHCONN_DATA_DIR: dataDirectory,
    ...(database ? { DATABASE_URL: database.url } : {}),
    AUTHCONN_KEK: kek.toString('base64'),
    AUTHCONN_REDIS_URL: `redis://vault:${encodeURIComponent(redisPassword)}@127.0.0.1:${redis.port}/0`,
    AUTHCONN_OTLP_ENDPOINT: collector.url,
    AUTHCONN_LOG_LEVEL: 'trace',
    AUTHCONN_PROVIDER_TIMEOUT: '5',
    AUTHCONN_REFRESH_TIMEOUT: '5',
    AUTHCONN_AUTH_FAILURE_LIMIT: '0',
  }

  const vault = await startVaultProcess(env)
  const { api_key, proof_key } = vault.credentials()
  canaries.note('administrator key', api_key)
  canaries.note('proof key', proof_key)
  const watched = watchAnswers(vault, canaries)
  const commandLine = createCommandLine({
    HOME: directory,
    AUTHCONN_DATA_DIR: dataDirectory,
    NODE_EXTRA_CA_CERTS: env.AUTHCONN_TLS_CERT_FILE,
  })
  await playScenario({ vault, sandbox, clientSecret, proxy, canaries, commandLine, watched, directory })
  const headers = { authorization: `Bearer ${api_key}` }
  const metrics = await (await fetch(`${vault.url}/metrics`, { headers })).text()
  const audit = JSON.stringify((await watched.call('listAudit', { query: { limit: 500 } })).body)
  expect(redis.asked()).toBeGreaterThan(0)

  const commands: string[] = []
  const server = async (...args: string[]) => {
    const { code, stdout, stderr } = await runServer(args, env)
    expect([args, code, stderr]).toEqual([args, 0, expect.any(String)])
    commands.push(stdout, stderr)
  }
  const operatorKey = () => JSON.parse(filesOf(dataDirectory).get('operator.json')?.toString() ?? '').api_key
  if (database) {
    await server('operator-key')
    await watched.call('createWorkspace', { body: { name: 'acme' } }, operatorKey())
  }
  const dump = database && (await dumpDatabase(database.url))
  expect(await vault.end('SIGTERM')).toBe(0)
  if (!database) await server('operator-key')
  canaries.note('operator key', operatorKey())
  await server('admin-key')
  canaries.note('second administrator key', vault.credentials().api_key)
  const at = database ? { url: database.url, poolSize: 1 } : { directory: join(dataDirectory, 'database') }
  for (const [name, key] of await unwrappedKeys(at, kek)) canaries.note(name, key)

  const { stdout, stderr } = vault.output()
  const text = (...parts: string[]) => new Map([['', Buffer.from(parts.join('\n'))]])
  const places: Places = {
    ...(dump ? { dump: new Map([['', dump]]) } : {}),
    // The two files apart in which keys belong.
    'database files': new Map([
      ...filesOf(dataDirectory, ['credentials.json', 'operator.json']),
      ...(database ? await database.files() : []),
    ]),
    log: text(stdout, stderr, ...commands),
    answers: text(...watched.answers),
    metrics: text(metrics),
    traces: new Map([['', collector.received()]]),
    audit: text(audit),
    'command line': text(...commandLine.printed),
  }
  return { canaries, places, search: createSearch(canaries.all()) }
}

/** A server of its own, so that all of its files can be searched, with a user whose password is a canary. */
async function databaseWithPassword(canaries: Canaries) {
  const server = await startPostgres()
  onTestFinished(server.stop)
  const database = temporaryDatabase(server.url)
  await database.create()
  const password = canaries.make('password of the database')
  await database.execute(
    `create role vault login password '${password}'; alter database ${database.name} owner to vault`,
  )
  const url = new URL(database.url)
  url.username = 'vault'
  url.password = encodeURIComponent(password)
  return {
    url: url.href,
    /** With the write-ahead log, after all that is in memory has been written. */
    async files(): Promise<Map<string, Buffer>> {
      await database.execute('checkpoint')
      const [row] = await askDatabase(database.url, 'show data_directory')
      return filesOf(String(row?.data_directory))
    },
  }
}

/** TLS settings; this process trusts the certificate from then on. */
function certificate(directory: string, canaries: Canaries) {
  const files = {
    AUTHCONN_TLS_CERT_FILE: join(directory, 'cert.pem'),
    AUTHCONN_TLS_KEY_FILE: join(directory, 'key.pem'),
  }
  writeFileSync(files.AUTHCONN_TLS_CERT_FILE, selfSigned.cert)
  writeFileSync(files.AUTHCONN_TLS_KEY_FILE, selfSigned.key, { mode: 0o600 })
  setDefaultCACertificates([...getCACertificates('default'), selfSigned.cert])
  const { d = '' } = createPrivateKey(selfSigned.key).export({ format: 'jwk' })
  canaries.note('private key of TLS', Buffer.from(d, 'base64url'))
  for (const [index, line] of selfSigned.key.split('\n').entries()) {
    if (!line.startsWith('-')) canaries.note(`private key of TLS, line ${index}`, line)
  }
  return files
}
