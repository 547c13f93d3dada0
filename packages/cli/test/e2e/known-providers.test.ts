import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AuthconnClient, createClient } from '@authconn/sdk'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Child, cliPath, startChild, stopChild, vaultPath } from './support/child.ts'
import { type Accounts, type Played, playAuthorizationServer } from './support/play-authorization-server.ts'
import { type Call, type PlayedProviders, playProviders } from './support/play-providers.ts'
import { authority } from './support/provider-certificate.ts'

/*
 * The examples of a first connection, typed as people find them, with a real vault and command line. The providers are played
 * under their own names: the vault reaches them by a proxy that resolves every name to this machine, and trusts the
 * authority of the test for TLS.
 */

const tenant = '6babcaad-604b-40ac-a9d7-9fd97c0b779f'
const ms = (path: string, of: string) => `https://login.microsoftonline.com/${of}/${path}`

const google: Played = {
  authorization: 'https://accounts.google.com/o/oauth2/v2/auth',
  token: 'https://oauth2.googleapis.com/token',
  authentication: 'post',
  ...{ clientId: 'google-id.apps.googleusercontent.com', clientSecret: 'GOCSPX-secret' },
  issuer: 'https://accounts.google.com',
  keys: 'https://www.googleapis.com/oauth2/v3/certs',
  nonce: true,
  claims: { sub: '10769150350006150715113082367' },
  answer: {
    expires_in: 3599,
    token_type: 'Bearer',
    scope: 'openid https://www.googleapis.com/auth/userinfo.email',
  },
  refreshTokens: 'once',
  revocation: 'https://oauth2.googleapis.com/revoke',
  userinfo: 'https://www.googleapis.com/oauth2/v2/userinfo',
  account: { id: '10769150350006150715113082367', email: 'ann@acme.example', verified_email: true },
}

const microsoft = (of: string): Played => ({
  authorization: ms('oauth2/v2.0/authorize', of),
  token: ms('oauth2/v2.0/token', of),
  authentication: 'post',
  ...{ clientId: '535fb089-9ff3-47b6-9bfb-4f1264799865', clientSecret: 'qWgdYAmab0YSkuL1qKv5bPX' },
  // Whoever consents at common is of some directory, and the ID token says of which.
  issuer: ms('v2.0', tenant),
  keys: ms('discovery/v2.0/keys', of),
  nonce: true,
  claims: { sub: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ', tid: tenant, ver: '2.0' },
  answer: { token_type: 'Bearer', scope: 'openid email profile', expires_in: 3736, ext_expires_in: 3736 },
  refreshTokens: 'each time',
  userinfo: 'https://graph.microsoft.com/v1.0/me',
  account: { id: '87d349ed', mail: 'ann@contoso.example', displayName: 'Ann', userPrincipalName: 'ann@contoso' },
})

const quickbooks: Played = {
  authorization: 'https://appcenter.intuit.com/connect/oauth2',
  token: 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer',
  authentication: 'basic',
  ...{ clientId: 'ABqvThWOrqWl', clientSecret: 'wnnDPgabWLxd' },
  issuer: 'https://oauth.platform.intuit.com/op/v1',
  keys: 'https://oauth.platform.intuit.com/op/v1/jwks',
  nonce: false,
  claims: { sub: '1182d6ec-2a1f-4aa3-af3f-bb3b95db45af', realmid: '4620816365264855680' },
  callback: { realmId: '4620816365264855680' },
  answer: { token_type: 'bearer', expires_in: 3600, x_refresh_token_expires_in: 8_726_400 },
  refreshTokens: 'each time',
  revocation: 'https://developer.api.intuit.com/v2/oauth2/tokens/revoke',
  userinfo: 'https://accounts.platform.intuit.com/v1/openid_connect/userinfo',
  account: { sub: '1182d6ec-2a1f-4aa3-af3f-bb3b95db45af', email: 'ann@books.example', givenName: 'Ann' },
}

const short = 'authconn'
const long = 'authconn workspace authconnection'

interface Example {
  /** As it is typed, but for the two values that the provider gave. */
  create: string
  authorize: string
  program: string
  name: string
  played: Played
  /** Of the authorization request, besides what each of them has. */
  asks: Record<string, string>
  account: string
  /** What of the client is in forms. */
  posted: Record<string, string>
  revoked: string
}

const examples: Record<string, Example> = {
  Google: {
    create: `create --name google-oauth --type TYPE_OAUTH2 --provider-url https://accounts.google.com --issuer-url https://accounts.google.com --client-id ID --client-secret SECRET`,
    authorize: 'authorize google-oauth --scopes openid,email --port PORT',
    ...{ program: short, name: 'google-oauth', played: google, account: 'ann@acme.example' },
    asks: { scope: 'openid email', access_type: 'offline', prompt: 'consent' },
    posted: { client_id: google.clientId, client_secret: google.clientSecret },
    revoked: 'It is revoked at the provider too.',
  },
  'Google, in the long form': {
    create: `create --name google-dev --type TYPE_OAUTH2 --provider-url https://accounts.google.com --issuer-url https://accounts.google.com --client-id ID --client-secret SECRET`,
    authorize: 'authorize --name google-dev --scopes openid,email --port PORT',
    ...{ program: long, name: 'google-dev', played: google, account: 'ann@acme.example' },
    asks: { scope: 'openid email', access_type: 'offline', prompt: 'consent' },
    posted: { client_id: google.clientId, client_secret: google.clientSecret },
    revoked: 'It is revoked at the provider too.',
  },
  'Microsoft 365, one directory': {
    create: `create --name m365 --type TYPE_OAUTH2 --provider-url https://login.microsoftonline.com/${tenant} --issuer-url https://login.microsoftonline.com/${tenant}/v2.0 --client-id ID --client-secret SECRET`,
    authorize: 'authorize m365 --scopes openid,profile,email --port PORT',
    ...{ program: short, name: 'm365', played: microsoft(tenant), account: 'ann@contoso.example' },
    asks: { scope: 'openid profile email offline_access' },
    posted: {
      client_id: '535fb089-9ff3-47b6-9bfb-4f1264799865',
      client_secret: 'qWgdYAmab0YSkuL1qKv5bPX',
    },
    revoked: 'takes no revocations',
  },
  'Microsoft 365, accounts of any directory, in the long form': {
    create: `create --name m365-any --type TYPE_OAUTH2 --provider-url https://login.microsoftonline.com/common --issuer-url https://login.microsoftonline.com/common/v2.0 --client-id ID --client-secret SECRET`,
    authorize: 'authorize --name m365-any --port PORT',
    ...{ program: long, name: 'm365-any', played: microsoft('common'), account: 'ann@contoso.example' },
    asks: { scope: 'openid profile email User.Read offline_access' },
    posted: {
      client_id: '535fb089-9ff3-47b6-9bfb-4f1264799865',
      client_secret: 'qWgdYAmab0YSkuL1qKv5bPX',
    },
    revoked: 'takes no revocations',
  },
  'QuickBooks, in the long form': {
    create: `create --name quickbooks --type TYPE_OAUTH2 --provider-url https://appcenter.intuit.com/connect/oauth2 --issuer-url https://oauth.platform.intuit.com/op/v1 --client-id ID --client-secret SECRET`,
    authorize: 'authorize --name quickbooks --scopes com.intuit.quickbooks.accounting,openid,email --port PORT',
    ...{ program: long, name: 'quickbooks', played: quickbooks, account: 'ann@books.example' },
    asks: { scope: 'com.intuit.quickbooks.accounting openid email' },
    posted: {},
    revoked: 'It is revoked at the provider too.',
  },
}

let providers: PlayedProviders
const fetchedKeys: string[] = []
let env: Record<string, string>
let vault: AuthconnClient
const closers: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'authconn-known-providers-'))
  closers.push(() => rm(dataDir, { recursive: true }))
  const accounts: Accounts = new Map()
  const all = [google, microsoft(tenant), microsoft('common'), quickbooks]
  providers = await playProviders(...all.map((each) => playAuthorizationServer(each, accounts)))
  closers.push(() => providers.close())
  const authorityFile = join(dataDir, 'authority.pem')
  await writeFile(authorityFile, authority)
  // An SSH session, so that no browser opens on the machine of whoever runs the tests.
  env = { AUTHCONN_DATA_DIR: dataDir, HOME: dataDir, SSH_CONNECTION: '192.0.2.1 50000 192.0.2.2 22' }
  const server = startChild(vaultPath, ['start'], {
    ...{ AUTHCONN_DATA_DIR: dataDir, HOME: dataDir, AUTHCONN_PORT: '0' },
    ...{ HTTPS_PROXY: providers.proxyUrl, AUTHCONN_PROXY_NAMES: 'proxy', NODE_EXTRA_CA_CERTS: authorityFile },
  })
  closers.push(() => stopChild(server))
  await vi.waitFor(() => expect(server.stdout() + server.stderr()).toContain('"listening"'), { timeout: 40_000 })
  const credentials = JSON.parse(await readFile(join(dataDir, 'credentials.json'), 'utf8'))
  vault = createClient({ url: credentials.url, apiKey: credentials.api_key, reuseFor: 0 })
})

afterAll(async () => {
  for (const close of closers.reverse()) await close()
})

function begin(line: string): Child {
  const [, ...words] = line.split(' ')
  return startChild(cliPath, words, env)
}

async function type(line: string) {
  const child = begin(line)
  child.process.stdin?.end()
  const { exitCode } = await child.ended
  return { exitCode, stdout: child.stdout(), stderr: child.stderr() }
}

/** 8080 as typed, unless something of this machine has it. */
async function usualPort(): Promise<number> {
  const server = createServer()
  const isFree = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false)).listen(8080, '127.0.0.1', () => resolve(true))
  })
  await new Promise((resolve) => server.close(resolve))
  return isFree ? 8080 : 0
}

const places = (calls: Call[]) => calls.map(({ method, url }) => `${method} ${url.origin}${url.pathname}`)
const basicOf = ({ clientId, clientSecret }: Played) =>
  `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`

test.each(Object.entries(examples))('%s is connected as typed, at the right endpoints', async (_, example) => {
  const { program, name, played, posted } = example
  const { clientId, clientSecret } = played
  const authorization = played.authentication === 'basic' ? basicOf(played) : undefined

  const line = `${program} ${example.create}`.replace(' ID ', ` ${clientId} `).replace(/SECRET$/, clientSecret)
  const created = await type(line)
  expect(created).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`Created ${name}.`) })
  // It is known by its URL, so nothing is asked of it.
  expect(places(providers.calls())).toEqual([])

  const { address, callback, printed } = await authorize(`${program} ${example.authorize}`)
  const [redirectUri] = callback.split('?')
  expect(address.origin + address.pathname).toBe(played.authorization)
  expect(Object.fromEntries(address.searchParams)).toEqual({
    ...example.asks,
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    state: expect.stringMatching(/^[\w-]{43,}$/),
    nonce: expect.stringMatching(/^[\w-]{43,}$/),
    code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge_method: 'S256',
  })
  expect(printed).not.toMatch(new RegExp(`at-|rt-|${clientSecret}`))

  const consented = providers.calls()
  // Keys are kept for the next ID token of the same provider.
  const keys = `GET ${played.keys}`
  expect(places(consented).filter((place) => place !== keys)).toEqual([
    `GET ${played.authorization}`,
    `POST ${played.token}`,
    `GET ${played.userinfo}`,
  ])
  fetchedKeys.push(...places(consented).filter((place) => place === keys))
  expect(fetchedKeys).toContain(keys)
  expect(consented[1]?.form).toEqual({
    grant_type: 'authorization_code',
    code: new URL(callback).searchParams.get('code'),
    redirect_uri: redirectUri,
    code_verifier: expect.stringMatching(/^[\w-]{43,}$/),
    ...posted,
  })
  expect(consented[1]?.headers.authorization).toBe(authorization)

  expect((await type(`${program} list`)).stdout).toMatch(
    new RegExp(`^${name} +(google|microsoft|quickbooks) +${example.account} +active`, 'm'),
  )
  const first = await type(`${program} token ${name}`)
  expect(first).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^at-\w+\n$/) })
  expect(places(providers.calls())).toEqual([])

  const second = await vault.getConnectionToken(name, { forceRefresh: true })
  expect(first.stdout).not.toBe(`${second.access_token}\n`)
  const refreshed = providers.calls()
  expect(places(refreshed)).toEqual([`POST ${played.token}`])
  expect(refreshed[0]?.form).toEqual({
    grant_type: 'refresh_token',
    refresh_token: expect.stringMatching(/^rt-/),
    ...posted,
  })
  expect(refreshed[0]?.headers.authorization).toBe(authorization)

  const revoked = await type(`${program} revoke ${name}`)
  expect(revoked).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(example.revoked) })
  const revocations = providers.calls()
  const place = `POST ${played.revocation}`
  expect(places(revocations)).toEqual(played.revocation === undefined ? [] : [place, place])
  for (const { headers } of revocations) expect(headers.authorization).toBe(authorization)
  const tokens = revocations.map(({ form }) => form.token)
  expect(tokens).toEqual(
    played.revocation === undefined ? [] : [expect.stringMatching(/^rt-/), second.access_token],
  )
  expect(await type(`${program} token ${name}`)).toMatchObject({ exitCode: 5, stdout: '' })
})

/** authconn authorize, with a browser that consents and comes back. */
async function authorize(line: string) {
  const authorizing = begin(line.replace('PORT', String(await usualPort())))
  await vi.waitFor(() => expect(authorizing.stderr()).toContain('Waiting'), { timeout: 10_000 })
  const [address = ''] = /https:\S+/.exec(authorizing.stderr()) ?? []
  const callback = await providers.browse(address)
  expect((await fetch(callback)).status).toBe(200)
  const { exitCode } = await authorizing.ended
  const printed = authorizing.stdout() + authorizing.stderr()
  expect({ exitCode, printed }).toMatchObject({ exitCode: 0 })
  return { address: new URL(address), callback, printed }
}
