import { inspect } from 'node:util'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { authconnection } from '../src/index.ts'
import { answerJson, serve } from './support/serve.ts'
import { thrown } from './support/thrown.ts'
import { createWorld, problem, token } from './support/world.ts'

const welcome = { api: (_: unknown, response: { end(text: string): void }) => response.end('welcome') }

test('sends the token, and the rest of the request as it is', async () => {
  const { client, api, calls } = await createWorld(welcome)
  const init = { method: 'PATCH', headers: { 'X-A': 'b', authorization: 'mine' }, body: 'hello' }
  const response = await client.authenticatedFetch('google')(`${api}/path?q=1`, init)
  expect(await response.text()).toBe('welcome')
  expect(calls).toMatchObject([
    { method: 'PATCH', path: '/path?q=1', body: 'hello', authorization: 'Bearer at-1', headers: { 'x-a': 'b' } },
  ])
  expect(init.headers.authorization).toBe('mine')
})

test('takes what fetch takes: a URL, or a Request with headers of its own', async () => {
  const { client, api, calls } = await createWorld(welcome)
  const get = client.authenticatedFetch('google')
  await get(new URL('/a', api))
  const request = new Request(`${api}/b`, {
    method: 'POST',
    headers: { 'x-a': 'b' },
    body: new URLSearchParams('c=d'),
  })
  await get(request)
  await get(new Request(`${api}/c`, { headers: { 'x-a': 'b' } }), { headers: { 'x-c': 'd' } })
  expect(calls).toMatchObject([
    { method: 'GET', path: '/a', authorization: 'Bearer at-1' },
    { method: 'POST', path: '/b', authorization: 'Bearer at-1', body: 'c=d', headers: { 'x-a': 'b' } },
    { method: 'GET', path: '/c', authorization: 'Bearer at-1', headers: { 'x-c': 'd' } },
  ])
  expect(calls[1]?.headers['content-type']).toBe('application/x-www-form-urlencoded;charset=UTF-8')
  expect(calls[2]?.headers).not.toHaveProperty('x-a')
  expect(request.bodyUsed).toBe(true)
})

test('asks the vault by its options, at each request', async () => {
  const { client, api, asked } = await createWorld(welcome)
  const get = client.authenticatedFetch('google', { subject: 'user-1', minTtl: 300, timeout: 9000 })
  await get(api)
  await get(api)
  const query = { subject: 'user-1', min_ttl: '300', max_wait: '8' }
  expect(asked).toEqual([query, query])
})

test('sends with the fetch that it is given', async () => {
  const { client, calls } = await createWorld()
  const sent: string[] = []
  const send: typeof fetch = async (input, init) => {
    sent.push(`${input} ${new Headers(init?.headers).get('authorization')}`)
    return new Response('welcome')
  }
  const response = await client.authenticatedFetch('google', { fetch: send })('https://api.example.com')
  expect(await response.text()).toBe('welcome')
  expect(sent).toEqual(['https://api.example.com Bearer at-1'])
  expect(calls).toEqual([])
})

test('throws what the vault says, and asks the API nothing then', async () => {
  const { client, api, calls } = await createWorld({ vault: () => problem('grant_pending') })
  const error = await thrown(() => client.authenticatedFetch('google')(api))
  expect(error).toMatchObject({ code: 'grant_pending', status: 409 })
  expect(calls).toEqual([])
})

test.each([403, 500, 302])('an answer of status %i is given back as it is', async (status) => {
  const { client, api, asked } = await createWorld({ api: (_, response) => response.writeHead(status).end('no') })
  const response = await client.authenticatedFetch('google')(api, { redirect: 'manual' })
  expect(response.status).toBe(status)
  expect(asked).toHaveLength(1)
})

describe('the token goes', () => {
  test.each([
    'http://192.0.2.1/',
    'http://localhost.example.com/',
    'ftp://127.0.0.1/',
    'data:text/plain,x',
    new URL('http://192.0.2.1/'),
    new Request('http://192.0.2.1/'),
  ])('not to %s: nobody is asked anything', async (input) => {
    const { client, asked } = await createWorld()
    const send = vi.fn<typeof fetch>()
    const error = await thrown(() => client.authenticatedFetch('google', { fetch: send })(input))
    expect(error).toMatchObject({ code: 'usage', title: 'An access token goes to https URLs only' })
    expect(asked).toEqual([])
    expect(send).not.toHaveBeenCalled()
  })

  test('along with a redirect within the API', async () => {
    const { client, api, calls } = await createWorld({
      api: ({ path }, response) =>
        path === '/new' ? response.end('welcome') : response.writeHead(307, { location: '/new' }).end(),
    })
    expect(await (await client.authenticatedFetch('google')(api)).text()).toBe('welcome')
    expect(calls.map(({ authorization }) => authorization)).toEqual(['Bearer at-1', 'Bearer at-1'])
  })

  test('not along with a redirect elsewhere, whose 401 is no word on the token', async () => {
    const heard: unknown[] = []
    const elsewhere = await serve((request, response) => {
      heard.push(request.headers.authorization)
      response.writeHead(401).end('who are you')
    })
    const { client, api, asked } = await createWorld({
      api: (_, response) => response.writeHead(307, { location: elsewhere }).end(),
    })
    const response = await client.authenticatedFetch('google')(api)
    expect({ status: response.status, text: await response.text() }).toEqual({ status: 401, text: 'who are you' })
    expect(heard).toEqual([undefined])
    expect(asked).toHaveLength(1)
  })

  test.each([{ access_token: 'canary\ntoken' }, { access_token: 'canäry' }, { token_type: 'canary\n' }])(
    'into no error when it fits in no header: %j',
    async (changes) => {
      const { client, api } = await createWorld({ vault: () => answerJson(200, token(1, changes)) })
      const error = await thrown(() => client.authenticatedFetch('google')(api))
      expect(error.code).toBe('provider_answer_invalid')
      expect(inspect(error, { depth: null, showHidden: true })).not.toMatch(/can[aä]ry/)
    },
  )
})

describe('the caller can end', () => {
  const silent = () => {}
  test.each([
    ['the question to the vault', { vault: () => silent }, 1],
    ['the request to the API', { api: silent }, 2],
    [
      'the question for another token',
      { vault: (query: object) => ('rejected_version' in query ? silent : answerJson(200, token(1))) },
      3,
    ],
  ])('%s, by the signal of the request', async (_, answers, requests) => {
    for (const inRequest of [false, true]) {
      const { client, api, asked, calls } = await createWorld(answers)
      const { signal, abort } = cancellation()
      const send = client.authenticatedFetch('google')
      const ended = inRequest ? send(new Request(api, { signal })) : send(api, { signal })
      await expect.poll(() => asked.length + calls.length).toBe(requests)
      const reason = new Error('enough')
      abort(reason)
      await expect(ended).rejects.toBe(reason)
    }
  })
})

describe('authconnection', () => {
  afterEach(() => vi.unstubAllEnvs())

  test('has it too, and reads the environment at each request', async () => {
    const { api, vaultUrl, calls } = await createWorld()
    const get = authconnection.authenticatedFetch('google')
    expect(await thrown(() => get(api))).toMatchObject({ code: 'vault_not_configured' })
    vi.stubEnv('AUTHCONN_URL', vaultUrl)
    vi.stubEnv('AUTHCONN_API_KEY', 'ak_test')
    expect(await (await get(api)).text()).toBe('welcome')
    expect(calls.map(({ authorization }) => authorization)).toEqual(['Bearer at-1', 'Bearer at-2'])
  })
})

function cancellation() {
  const controller = new AbortController()
  return { signal: controller.signal, abort: (reason: Error) => controller.abort(reason) }
}
