import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { type ErrorCode, errorTable } from '@authconn/shared/errors'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { issuedKeys } from '../src/api-keys.ts'
import {
  type AuthconnClient,
  authconnection,
  type ClientOptions,
  createClient,
  platformIdentity,
} from '../src/index.ts'
import { answerJson, bodyOf, serve } from './support/serve.ts'
import { thrown } from './support/thrown.ts'

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const idToken = (number: number) =>
  `${encode({ alg: 'RS256' })}.${encode({ iss: 'https://ci.example', aud: 'vault', sub: `job-${number}` })}.sig`

interface Exchange {
  body: Record<string, unknown>
  authorization: string | undefined
}

interface Vault {
  url: string
  exchanges: Exchange[]
  /** The keys that the token fetches came with. */
  keys: (string | undefined)[]
  /** Keys that are refused. */
  ended: Set<string>
}

/** A vault that gives key-1, key-2 … for whatever token it is shown, or a problem in place of one of them. */
async function createVault({
  life = 900,
  refuse = {},
}: {
  life?: number
  refuse?: Record<number, ErrorCode>
} = {}): Promise<Vault> {
  const vault: Vault = { url: '', exchanges: [], keys: [], ended: new Set() }
  vault.url = await serve(async (request, response) => {
    const { authorization } = request.headers
    if (request.url === '/v1/identity/token') {
      vault.exchanges.push({ body: JSON.parse(await bodyOf(request)), authorization })
      const number = vault.exchanges.length
      const code = refuse[number]
      const token = String(vault.exchanges.at(-1)?.body.subject_token)
      const answer = code === undefined ? issued(number, life) : problem(code, `It says ${token}.`)
      answerJson(code === undefined ? 200 : errorTable[code].status, answer)(request, response)
      return
    }
    const key = authorization?.replace('Bearer ', '')
    vault.keys.push(key)
    if (vault.ended.has(key ?? '')) answerJson(401, problem('invalid_api_key', 'ended'))(request, response)
    else
      answerJson(200, { access_token: 'at', token_type: 'Bearer', expires_at: null, version: 1 })(
        request,
        response,
      )
  })
  return vault
}

function issued(number: number, life: number) {
  return {
    access_token: `ack_key-${number}`,
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    token_type: 'Bearer',
    expires_in: life,
    expires_at: new Date(Date.now() + life * 1000).toISOString(),
    caller: 'trust:ci',
    trust: 'ci',
    workspace: 'default',
  }
}

function problem(code: ErrorCode, detail: string) {
  const { status, title, hint } = errorTable[code]
  return { title, status, code, detail, hint }
}

/** A client with an identity that gives another token each time, and what that was asked for. */
function clientOf(vault: Vault, options: Partial<ClientOptions> = {}) {
  const audiences: string[] = []
  const identity: NonNullable<ClientOptions['identity']> = ({ audience }) => {
    audiences.push(audience)
    return idToken(audiences.length)
  }
  const client = createClient({ url: vault.url, identity, reuseFor: 0, retries: 0, ...options })
  return { client, audiences, fetchToken: () => client.getConnectionToken('google') }
}

describe('a client with an identity', () => {
  test('exchanges its token for a key, once, and sends the token nowhere else', async () => {
    const vault = await createVault()
    const { fetchToken, audiences, client } = clientOf(vault)
    await fetchToken()
    await fetchToken()
    expect(vault.exchanges).toEqual([
      {
        authorization: undefined,
        body: {
          grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
          subject_token: idToken(1),
          subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        },
      },
    ])
    expect(audiences).toEqual([vault.url])
    expect(vault.keys).toEqual(['ack_key-1', 'ack_key-1'])
    expect(inspect(client, { depth: null, showHidden: true })).not.toContain('ack_key')
  })

  test('names audience, workspace and trust where they are given', async () => {
    const vault = await createVault()
    const { fetchToken, audiences } = clientOf(vault, { audience: 'the-vault', workspace: 'acme', trust: 'ci' })
    await fetchToken()
    expect(audiences).toEqual(['the-vault'])
    expect(vault.exchanges[0]?.body).toMatchObject({ workspace: 'acme', trust: 'ci' })
  })

  test('lets those who need a key at once share one exchange', async () => {
    const vault = await createVault()
    const { client } = clientOf(vault)
    await Promise.all(['a', 'b', 'c'].map((name) => client.getConnectionToken(name)))
    expect(vault.exchanges).toHaveLength(1)
    expect(vault.keys).toEqual(['ack_key-1', 'ack_key-1', 'ack_key-1'])
  })

  test('asks what the vault tells everybody without a key', async () => {
    const vault = await createVault()
    const { client } = clientOf(vault)
    await client.call('getHealth').catch(() => undefined)
    expect(vault.exchanges).toHaveLength(0)
    expect(vault.keys).toEqual([undefined])
  })

  test('takes another key when the vault does not take the former one any more, and asks again', async () => {
    const vault = await createVault()
    const { fetchToken } = clientOf(vault)
    await fetchToken()
    vault.ended.add('ack_key-1')
    expect(await fetchToken()).toMatchObject({ access_token: 'at' })
    expect(vault.keys).toEqual(['ack_key-1', 'ack_key-1', 'ack_key-2'])
  })

  test('does not ask for another key where the new one is refused', async () => {
    const vault = await createVault()
    vault.ended.add('ack_key-1')
    expect(await thrown(clientOf(vault).fetchToken)).toMatchObject({ code: 'invalid_api_key' })
    expect(vault.exchanges).toHaveLength(1)
  })

  test('says what the token says when it is refused, and not the token', async () => {
    const vault = await createVault({ refuse: { 1: 'identity_refused' } })
    const error = await thrown(clientOf(vault).fetchToken)
    expect(error).toMatchObject({ code: 'identity_refused', status: 401 })
    expect(error.detail).toContain('iss "https://ci.example", aud "vault", sub "job-1"')
    expect(inspect(error, { depth: null })).not.toContain(idToken(1))
    expect(error.detail).toContain('It says [secret].')
  })

  test('tries again with a new token where the exchange found no vault', async () => {
    const vault = await createVault()
    let broken = false
    const { client, audiences } = clientOf(vault, {
      retries: 1,
      async fetch(input, init) {
        if (broken) return fetch(input, init)
        broken = true
        throw new TypeError('fetch failed')
      },
    })
    expect(await client.getConnectionToken('google')).toMatchObject({ access_token: 'at' })
    expect(audiences).toHaveLength(2)
    expect(vault.exchanges.map(({ body }) => body.subject_token)).toEqual([idToken(2)])
  })

  test.each([['not a token'], [''], ['a.b'], ['a.b.c\nx: y']])('does not send %j to the vault', async (token) => {
    const vault = await createVault()
    const { fetchToken } = clientOf(vault, { identity: () => token })
    expect(await thrown(fetchToken)).toMatchObject({ code: 'identity_token_unavailable' })
    expect(vault.exchanges).toEqual([])
  })

  test('and an API key exclude each other; without either there is nothing to ask with', async () => {
    const both = () => createClient({ url: 'https://vault.example', apiKey: 'ak', identity: () => idToken(1) })
    expect(await thrown(both)).toMatchObject({ code: 'usage' })
    const ignored = () => createClient({ url: 'https://vault.example', apiKey: 'ak', trust: 'ci' })
    expect(await thrown(ignored)).toMatchObject({
      code: 'usage',
      detail: expect.stringContaining('go with identity'),
    })
    const neither: AuthconnClient = createClient({ url: 'https://vault.invalid' })
    expect(await thrown(() => neither.call('getSelf'))).toMatchObject({ code: 'unauthenticated' })
  })
})

describe('a key', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
  afterEach(() => void vi.useRealTimers())
  const pass = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000)

  test('is renewed before it ends, and not sooner', async () => {
    const vault = await createVault({ life: 900 })
    const { fetchToken } = clientOf(vault)
    for (const seconds of [0, 770, 20]) {
      pass(seconds)
      await fetchToken()
    }
    expect(vault.keys).toEqual(['ack_key-1', 'ack_key-1', 'ack_key-2'])
  })

  test('goes on being used while it is good, when it cannot be renewed', async () => {
    const vault = await createVault({ life: 100, refuse: { 2: 'identity_refused', 3: 'identity_refused' } })
    const { fetchToken } = clientOf(vault)
    await fetchToken()
    pass(80)
    await fetchToken()
    pass(1)
    await fetchToken()
    expect(vault.keys).toEqual(['ack_key-1', 'ack_key-1', 'ack_key-1'])
    // Not at each call.
    expect(vault.exchanges).toHaveLength(2)
    pass(20)
    expect(await thrown(fetchToken)).toMatchObject({ code: 'identity_refused' })
    await fetchToken()
    expect(vault.keys.at(-1)).toBe('ack_key-4')
  })

  test('is not waited for longer than some seconds while the former one is good', async () => {
    let asked = 0
    const never = new Promise<never>(() => {})
    const keys = issuedKeys(async () => (++asked === 1 ? { apiKey: 'ack_key-1', life: 100 } : never), 20)
    const { signal } = new AbortController()
    await keys.get(signal)
    pass(80)
    expect(await keys.get(signal)).toBe('ack_key-1')
    expect(asked).toBe(2)
  })
})

describe('the identity of the platform', () => {
  beforeEach(() => {
    for (const name of [
      'GITHUB_ACTIONS',
      'GITLAB_CI',
      'KUBERNETES_SERVICE_HOST',
      'ACTIONS_ID_TOKEN_REQUEST_URL',
    ]) {
      vi.stubEnv(name, '')
    }
  })
  afterEach(() => vi.unstubAllEnvs())
  const withPlatform = (vault: Vault) =>
    createClient({ url: vault.url, identity: platformIdentity, reuseFor: 0, retries: 0 })

  /** What a job of GitHub Actions is given its tokens by. */
  async function actions(answer: (asked: URL) => [status: number, body: object]) {
    const heard: { url: URL; authorization: string | undefined }[] = []
    const url = await serve((request, response) => {
      const asked = new URL(request.url ?? '', 'http://actions')
      heard.push({ url: asked, authorization: request.headers.authorization })
      answerJson(...answer(asked))(request, response)
    })
    vi.stubEnv('ACTIONS_ID_TOKEN_REQUEST_URL', `${url}/token?api-version=2.0`)
    vi.stubEnv('ACTIONS_ID_TOKEN_REQUEST_TOKEN', 'request-canary')
    return heard
  }

  test('is asked of GitHub Actions for the audience', async () => {
    const vault = await createVault()
    const heard = await actions(() => [200, { value: idToken(7), count: 1 }])
    await withPlatform(vault).getConnectionToken('google')
    expect(heard.map(({ url, authorization }) => [url.search, authorization])).toEqual([
      [`?api-version=2.0&audience=${encodeURIComponent(vault.url)}`, 'Bearer request-canary'],
    ])
    expect(vault.exchanges[0]?.body.subject_token).toBe(idToken(7))
  })

  test.each<[[number, object], object]>([
    [[200, { count: 1 }], { retryAfter: undefined, detail: expect.stringContaining('without a token') }],
    [[403, {}], { retryAfter: undefined, detail: expect.stringContaining('status 403') }],
    [[503, {}], { retryAfter: 1, detail: expect.stringContaining('status 503') }],
    [[302, {}], { retryAfter: undefined, detail: expect.stringContaining('status 302') }],
  ])('is not had where GitHub Actions answers %j', async (answer, error) => {
    const vault = await createVault()
    await actions(() => answer)
    const found = await thrown(() => withPlatform(vault).getConnectionToken('google'))
    expect(found).toMatchObject({ code: 'identity_token_unavailable', ...error })
    expect(inspect(found, { depth: null })).not.toContain('canary')
  })

  test('is not asked over plain http', async () => {
    const vault = await createVault()
    vi.stubEnv('ACTIONS_ID_TOKEN_REQUEST_URL', 'http://192.0.2.1/token')
    vi.stubEnv('ACTIONS_ID_TOKEN_REQUEST_TOKEN', 'request-canary')
    expect(await thrown(() => withPlatform(vault).getConnectionToken('google'))).toMatchObject({
      code: 'identity_token_unavailable',
      detail: expect.stringContaining('https'),
    })
  })

  test('is read from its file whenever a key is needed', async () => {
    const vault = await createVault()
    const directory = await mkdtemp(join(tmpdir(), 'authconn-sdk-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    const file = join(directory, 'token')
    vi.stubEnv('AUTHCONN_ID_TOKEN_FILE', file)
    const client = withPlatform(vault)
    const fetchToken = () => client.getConnectionToken('google')
    expect(await thrown(fetchToken)).toMatchObject({ code: 'identity_token_unavailable' })
    for (const number of [1, 2]) {
      await writeFile(file, `${idToken(number)}\n`)
      await fetchToken()
      vault.ended.add(`ack_key-${number}`)
    }
    expect(vault.exchanges.map(({ body }) => body.subject_token)).toEqual([idToken(1), idToken(2)])
  })

  test.each([
    [{ GITHUB_ACTIONS: 'true' }, 'id-token: write'],
    [{ GITLAB_CI: 'true' }, 'id_tokens'],
    [{ KUBERNETES_SERVICE_HOST: '10.0.0.1' }, 'AUTHCONN_ID_TOKEN_FILE'],
    [{}, 'authconn trusts create'],
  ])('that is missing with %j is an error with %j in it', async (env, words) => {
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
    const error = await thrown(() => withPlatform({ url: 'https://vault.invalid' } as Vault).call('getSelf'))
    expect(error).toMatchObject({ code: 'unauthenticated', hint: expect.stringContaining(words) })
  })

  test('is used by authconnection where there is no API key, and not where there is one', async () => {
    const vault = await createVault()
    vi.stubEnv('AUTHCONN_URL', vault.url)
    vi.stubEnv('AUTHCONN_API_KEY', '')
    vi.stubEnv('AUTHCONN_ID_TOKEN', idToken(1))
    vi.stubEnv('AUTHCONN_WORKSPACE', 'acme')
    vi.stubEnv('AUTHCONN_TOKEN_REUSE_SECONDS', '0')
    await authconnection.getConnectionToken('google')
    await authconnection.getConnectionToken('google')
    vi.stubEnv('AUTHCONN_API_KEY', 'ak_given')
    await authconnection.getConnectionToken('google')
    expect(vault.keys).toEqual(['ack_key-1', 'ack_key-1', 'ak_given'])
    expect(vault.exchanges.map(({ body }) => [body.subject_token, body.workspace])).toEqual([[idToken(1), 'acme']])
  })

  test('is that of another when the file comes to hold the token of another', async () => {
    const vault = await createVault()
    const directory = await mkdtemp(join(tmpdir(), 'authconn-sdk-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    const file = join(directory, 'token')
    const settings = { AUTHCONN_URL: vault.url, AUTHCONN_API_KEY: '', AUTHCONN_ID_TOKEN_FILE: file }
    for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value)
    const fetchToken = () => authconnection.getConnectionToken('google', { forceRefresh: true })
    // A new token of the same job, as a platform puts there in time, needs no other key.
    for (const token of [idToken(1), idToken(1), `${idToken(1)}-2`, idToken(2)]) {
      await writeFile(file, token)
      await fetchToken()
    }
    expect(vault.keys).toEqual(['ack_key-1', 'ack_key-1', 'ack_key-1', 'ack_key-2'])
    // While there is none, as in the middle of a change, the key is used that is there.
    await rm(file)
    await fetchToken()
    expect(vault.keys.at(-1)).toBe('ack_key-2')
  })

  test('is not shown where the signal of the call is aborted already', async () => {
    const vault = await createVault()
    const { client, audiences } = clientOf(vault)
    const signal = AbortSignal.abort(new Error('stopped before'))
    const calls = [
      client.getConnectionToken('google', { signal }),
      client.call('getSelf', {}, { signal }),
      client.authenticatedFetch('google')('https://api.invalid', { signal }),
      client.authenticatedFetch('google')(new Request('https://api.invalid', { signal })),
    ]
    for (const call of calls) await expect(call).rejects.toThrow('stopped before')
    expect([audiences, vault.exchanges]).toEqual([[], []])
  })

  test('of two kinds at once is a setting that is not valid', async () => {
    vi.stubEnv('AUTHCONN_ID_TOKEN', idToken(1))
    vi.stubEnv('AUTHCONN_ID_TOKEN_FILE', '/run/token')
    expect(await thrown(() => authconnection.getConnectionToken('a'))).toMatchObject({ code: 'usage' })
  })
})
