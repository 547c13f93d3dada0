import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { browse, connectDevice, type Sandbox } from '@authconn/sandbox'
import { expect } from 'vitest'
import type { startRecordingProxy } from '../../../packages/server/test/support/recording-proxy.ts'
import type { startVaultProcess } from '../../../packages/server/test/support/vault-process.ts'
import type { Canaries } from './canaries.ts'
import type { createCommandLine } from './command-line.ts'
import { exchangeTokens } from './identities.ts'
import type { watchAnswers } from './vault-under-watch.ts'

export interface Scene {
  vault: Awaited<ReturnType<typeof startVaultProcess>>
  sandbox: Sandbox
  clientSecret: string
  proxy: Awaited<ReturnType<typeof startRecordingProxy>>
  canaries: Canaries
  commandLine: ReturnType<typeof createCommandLine>
  watched: ReturnType<typeof watchAnswers>
  /** For files that people keep secrets in. */
  directory: string
}

/** Everything that can be done with a vault, rightly and wrongly, with canaries for all secrets. */
export async function playScenario(scene: Scene): Promise<void> {
  await rightTurns(scene)
  await wrongTurns(scene)
  await otherGrants(scene)
  await misplacedSecrets(scene)
  await exchangeTokens(scene)
  await fromTheCommandLine(scene)
  noteWhatPassed(scene)
}

function connectionTo({ sandbox, proxy, clientSecret }: Scene) {
  return {
    provider_url: sandbox.issuer,
    issuer_url: sandbox.issuer,
    client_id: sandbox.client.client_id,
    client_secret: clientSecret,
    authorization_endpoint: `${sandbox.issuer}/authorize`,
    token_endpoint: `${proxy.url}/token`,
    revocation_endpoint: `${proxy.url}/revoke`,
    jwks_uri: `${sandbox.issuer}/jwks`,
  }
}

async function consent({ watched, canaries }: Scene, name: string) {
  const started = await watched.call('startAuthorization', {
    params: { name },
    body: { scopes: ['openid', 'email'], redirect_uri: 'http://127.0.0.1:8080/callback' },
  })
  const { redirectedUrl } = await browse(started.body.authorization_url)
  const code = new URL(redirectedUrl).searchParams.get('code') ?? ''
  canaries.note(`code of ${started.body.id}`, code)
  return { id: started.body.id as string, redirectedUrl, code }
}

type Consent = Awaited<ReturnType<typeof consent>>

const complete = ({ watched }: Scene, { id, redirectedUrl }: Pick<Consent, 'id' | 'redirectedUrl'>) =>
  watched.call('completeAuthorization', { params: { id }, body: { redirected_url: redirectedUrl } })

/** With a refresh, a refresh token that is handed out, a rotated key, a new client secret and a revocation. */
async function rightTurns(scene: Scene): Promise<void> {
  const { watched, sandbox, canaries } = scene
  sandbox.setAccessTokenTtl(1)
  const created = await watched.call('createConnection', { body: { name: 'happy', ...connectionTo(scene) } })
  expect(created.status).toBe(201)
  expect((await complete(scene, await consent(scene, 'happy'))).status).toBe(200)
  await sleep(1000)
  const reader = await watched.call('createCaller', {
    body: { name: 'reader', permissions: ['token:read', 'refresh_token:read'] },
  })
  const token = await watched.call('getToken', { params: { name: 'happy' } }, reader.body.api_key)
  expect(token.body.refresh_token).toBeTruthy()
  const rotated = await watched.call('rotateCaller', { params: { id: reader.body.id }, body: { overlap: 0 } })
  expect(rotated.status).toBe(200)
  const next = canaries.make('new client secret')
  await watched.call('updateConnection', { params: { name: 'happy' }, body: { client_secret: next } })
  expect((await complete(scene, await consent(scene, 'happy'))).status).toBe(200)
  await watched.call('getToken', { params: { name: 'happy' }, query: { force_refresh: true } })
  expect((await watched.call('listEvents', { params: { name: 'happy' } })).body.events.length).toBeGreaterThan(0)
  await watched.call('createConnection', { body: { name: 'gone', ...connectionTo(scene) } })
  expect((await complete(scene, await consent(scene, 'gone'))).status).toBe(200)
  expect((await watched.call('revokeGrant', { params: { name: 'gone' }, body: {} })).body.upstream).toBe('revoked')
  expect((await watched.call('deleteConnection', { params: { name: 'gone' } })).status).toBe(200)
}

/** Replayed and tampered callbacks, keys and providers gone wrong. */
async function wrongTurns(scene: Scene): Promise<void> {
  const { watched, sandbox, canaries, vault } = scene
  const first = await consent(scene, 'happy')
  await complete(scene, first)
  await complete(scene, first)
  const tampered = await consent(scene, 'happy')
  await complete(scene, { ...tampered, redirectedUrl: tampered.redirectedUrl.replace('state=', 'state=x') })
  await complete(scene, { ...tampered, redirectedUrl: `${tampered.redirectedUrl}&code=${tampered.code}` })
  const broken = [
    'truncated_json',
    'html',
    'error_in_200',
    'wrong_id_token_signature',
    'reset_after',
    'hang',
  ] as const
  for (const kind of broken) {
    const pending = await consent(scene, 'happy')
    sandbox.faults.set('token', { kind })
    expect((await complete(scene, pending)).status).toBeGreaterThanOrEqual(400)
    sandbox.faults.clear()
  }
  await sleep(1000)
  for (const kind of ['truncated_json', 'control_characters', 'oauth_error'] as const) {
    sandbox.faults.set('token', kind === 'oauth_error' ? { kind, error: 'invalid_grant' } : { kind })
    await watched.call('getToken', { params: { name: 'happy' }, query: { force_refresh: true } })
    sandbox.faults.clear()
    await sleep(2200)
  }
  const wrong = { ...connectionTo(scene), client_secret: canaries.make('wrong client secret') }
  await watched.call('createConnection', { body: { name: 'wrong', ...wrong } })
  expect((await complete(scene, await consent(scene, 'wrong'))).status).toBe(422)
  const mistyped = `${vault.credentials().api_key.slice(0, -1)}_`
  canaries.note('mistyped key', mistyped)
  await watched.call('listConnections', {}, mistyped)
  expect((await complete(scene, await consent(scene, 'happy'))).status).toBe(200)
  sandbox.faults.set('revocation', { kind: 'status', status: 500 })
  const revoked = await watched.call('revokeGrant', { params: { name: 'happy' }, body: {} })
  expect(revoked.body.upstream).toBe('retrying')
  sandbox.faults.clear()
}

/** Tokens without a browser that comes back: a device code, a client's own, and by an assertion that its key signs. */
async function otherGrants(scene: Scene): Promise<void> {
  const { watched, sandbox, canaries, proxy } = scene
  sandbox.changeSettings({ devicePollInterval: 1, accessTokenTtl: 3600 })
  const of = { ...connectionTo(scene), device_authorization_endpoint: `${proxy.url}/device_authorization` }
  await watched.call('createConnection', { body: { name: 'device', ...of } })
  const begin = () =>
    watched.call('startDeviceAuthorization', { params: { name: 'device' }, body: { scopes: ['openid'] } })
  const outcome = async (id: string) => (await watched.call('getAuthorization', { params: { id } })).body.status
  for (const kind of [undefined, 'truncated_json'] as const) {
    const { id, verification_uri_complete } = (await begin()).body
    await connectDevice(verification_uri_complete)
    if (kind) sandbox.faults.set('token', { kind })
    await expect.poll(() => outcome(id), { timeout: 15_000 }).toBe(kind ? 'failed' : 'completed')
    sandbox.faults.clear()
  }
  await begin()
  const own = { ...connectionTo(scene), grant_type: 'client_credentials' as const }
  await watched.call('createConnection', { body: { name: 'own', ...own } })
  expect((await watched.call('getToken', { params: { name: 'own' } })).status).toBe(200)
  expect((await watched.call('revokeGrant', { params: { name: 'own' }, body: {} })).body.upstream).toBe('revoked')
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  canaries.note('private key of a service account', pem.split('\n').slice(1, -2).join('\n'))
  canaries.note('private number of a service account', privateKey.export({ format: 'jwk' }).d ?? '')
  const { client_secret: _, ...account } = connectionTo(scene)
  const signing = { client_key: { private_key: pem }, grant_type: 'jwt_bearer' as const }
  await watched.call('createConnection', { body: { name: 'account', ...account, ...signing } })
  // The provider does not know the key, and is shown an assertion all the same.
  expect((await watched.call('getToken', { params: { name: 'account' } })).status).toBe(422)
}

/** Wherever somebody may put a secret by mistake, and be refused. */
async function misplacedSecrets(scene: Scene): Promise<void> {
  const { vault, watched, canaries } = scene
  const base = connectionTo(scene)
  const send = async (what: string, path: string, init: (secret: string) => RequestInit & { path?: string }) => {
    const { path: own, ...rest } = init(canaries.make(what))
    const response = await fetch(`${vault.url}${own ?? path}`, {
      ...rest,
      headers: { authorization: `Bearer ${vault.credentials().api_key}`, ...rest.headers },
    })
    watched.answers.push(JSON.stringify([...response.headers]), await response.text())
    return response.status
  }
  const json = (body: unknown) => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const create = '/v1/connections'
  for (const field of [
    'name',
    'type',
    'provider_url',
    'issuer_url',
    'token_endpoint',
    'token_endpoint_auth_method',
  ]) {
    const status = await send(`secret as ${field}`, create, (secret) =>
      json({ name: 'x', ...base, [field]: secret }),
    )
    expect([field, status]).toEqual([field, expect.toSatisfy((code: number) => code >= 400 && code < 500)])
  }
  const refused: [string, number][] = [
    [
      'secret in a field that is none',
      await send('in no field', create, (secret) => json({ client_secert: secret })),
    ],
    ['name of a field', await send('as a name', create, (secret) => json({ name: 'x', ...base, [secret]: true }))],
    ['number', await send('in a list', create, (secret) => json({ name: 'x', ...base, client_secret: [secret] }))],
    [
      'user',
      await send('in a URL', create, (secret) => json({ name: 'x', ...base, provider_url: urlWith(secret) })),
    ],
    [
      'no JSON',
      await send('not in JSON', create, (secret) => ({ ...json(0), body: `{"client_secret": ${secret}` })),
    ],
    [
      'a form',
      await send('in a form', create, (secret) => ({ method: 'POST', body: new URLSearchParams({ secret }) })),
    ],
    ['text', await send('in text', create, (secret) => ({ method: 'POST', body: secret }))],
    [
      'path',
      await send('in a path', '', (secret) => ({ path: `/v1/connections/${encodeURIComponent(secret)}/token` })),
    ],
    ['no path', await send('in no path', '', (secret) => ({ path: `/callback/${encodeURIComponent(secret)}` }))],
    [
      'query',
      await send('in a query', '', (secret) => ({ path: `${create}?api_key=${encodeURIComponent(secret)}` })),
    ],
    [
      'query name',
      await send('in a name', '', (secret) => ({ path: `${create}?${encodeURIComponent(secret)}=1` })),
    ],
    ['method', await send('in a wrong method', create, (secret) => ({ ...json({ secret }), method: 'PUT' }))],
    [
      'Basic',
      await send('in Basic', create, (secret) => ({ headers: { authorization: `Basic ${btoa(`x:${secret}`)}` } })),
    ],
    ['key', await send('as a key', create, (secret) => ({ headers: { authorization: `Bearer ${secret}` } }))],
  ]
  for (const [what, status] of refused) {
    expect([what, status]).toEqual([what, expect.toSatisfy((code: number) => code >= 400 && code < 500)])
  }
  for (const header of [
    'user-agent',
    'cookie',
    'referer',
    'x-api-key',
    'x-request-id',
    'x-forwarded-for',
    'origin',
  ]) {
    await send(`secret in ${header}`, create, (secret) => ({ headers: { [header]: secret } }))
  }
  const key = vault.credentials().api_key
  await send('beside a key as request id', create, () => ({ headers: { 'x-request-id': key } }))
}

function urlWith(secret: string): string {
  return `https://user:${encodeURIComponent(secret)}@idp.example`
}

/** The same by the programs: what they print is looked at, and what they send. */
async function fromTheCommandLine(scene: Scene): Promise<void> {
  const { commandLine, sandbox, canaries, clientSecret, directory } = scene
  const { run } = commandLine
  sandbox.setAccessTokenTtl(3600)
  const { provider_url, client_id, ...endpoints } = connectionTo(scene)
  const flags = ['--provider-url', provider_url, '--client-id', client_id].concat(
    ...Object.entries(endpoints).flatMap(([name, value]) =>
      name === 'client_secret' ? [] : [`--${name.replaceAll('_', '-')}`, value],
    ),
  )
  const file = join(directory, 'client-secret')
  writeFileSync(file, clientSecret, { mode: 0o600 })
  expect((await run(['create', 'cli', ...flags, '--client-secret-file', file])).exitCode).toBe(0)
  expect((await run(['create', 'cli', ...flags, '--client-secret', '-'], { input: clientSecret })).exitCode).toBe(
    5,
  )
  const bad = canaries.make('secret with a bad URL')
  await run(['create', 'bad', '--provider-url', 'http://nowhere', '--client-id', 'x', '--client-secret', bad])
  await run(['create', canaries.make('secret as a name'), ...flags, '--client-secret', '-'], {
    input: clientSecret,
  })

  const authorizing = await commandLine.authorize('cli')
  const { redirectedUrl, page } = await browse(authorizing.url, { followCallback: true })
  for (const name of ['state', 'nonce'])
    canaries.note(`${name} (cli)`, new URL(authorizing.url).searchParams.get(name) ?? '')
  canaries.note('code (cli)', new URL(redirectedUrl).searchParams.get('code') ?? '')
  expect(await authorizing.end()).toBe(0)
  commandLine.printed.push(page?.text ?? '')

  const lines = (stdout: string) => [stdout.trim()]
  expect((await run(['token', 'cli'], { belongs: lines })).exitCode).toBe(0)
  const apiKey = (stdout: string) => [JSON.parse(stdout).api_key as string]
  const caller = await run(['callers', 'create', 'cli', '--allow', 'token:read', '--json'], { belongs: apiKey })
  canaries.note('API key (cli)', apiKey(caller.stdout)[0] ?? '')
  const rotated = await run(['callers', 'rotate', 'cli', '--json'], { belongs: apiKey })
  canaries.note('rotated API key (cli)', apiKey(rotated.stdout)[0] ?? '')
  const secret = canaries.make('secret of an update')
  expect((await run(['update', 'cli', '--client-secret', '-'], { input: secret })).exitCode).toBe(0)
  for (const args of [
    ['list'],
    ['list', '--json'],
    ['get', 'cli', '--history', '--json'],
    ['callers', 'list', '--json'],
    ['audit', 'list', '--json'],
    ['audit', 'verify'],
    ['providers'],
  ]) {
    expect([args, (await run(args)).exitCode]).toEqual([args, 0])
  }
  for (const AUTHCONN_API_KEY of [canaries.make('key of the environment'), caller.stdout.slice(0, 20)]) {
    const env = { AUTHCONN_API_KEY, AUTHCONN_DEBUG: '1' }
    expect((await run(['list'], { env })).exitCode).toBeGreaterThan(0)
  }
  expect((await run(['token', 'nothing'], { env: { AUTHCONN_DEBUG: '1' } })).exitCode).toBe(4)
  expect((await run(['revoke', 'cli'])).exitCode).toBe(0)
  expect((await run(['delete', 'cli', '--yes'])).exitCode).toBe(0)
}

/** What only the vault and the provider have seen. */
function noteWhatPassed({ proxy, canaries }: Scene): void {
  for (const [index, { sent, received }] of proxy.seen.entries()) {
    for (const name of sentSecrets) {
      const value = sent.get(name)
      if (value) canaries.note(`${name} sent in call ${index}`, value)
    }
    for (const [name, value] of received) canaries.note(`${name} received in call ${index}`, value)
  }
}

const sentSecrets = [
  'code',
  'code_verifier',
  'refresh_token',
  'token',
  'client_secret',
  'device_code',
  'assertion',
]
