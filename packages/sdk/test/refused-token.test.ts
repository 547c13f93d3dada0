import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { answerJson } from './support/serve.ts'
import { thrown } from './support/thrown.ts'
import { createWorld, problem, token } from './support/world.ts'

test('a token that the API refuses is replaced, and the request sent once more', async () => {
  const { client, api, calls, asked } = await createWorld()
  const response = await client.authenticatedFetch('google')(`${api}/path`, { method: 'DELETE' })
  expect({ status: response.status, text: await response.text() }).toEqual({ status: 200, text: 'welcome' })
  expect(asked).toEqual([{}, { rejected_version: '1' }])
  expect(calls).toMatchObject([
    { method: 'DELETE', path: '/path', authorization: 'Bearer at-1' },
    { method: 'DELETE', path: '/path', authorization: 'Bearer at-2' },
  ])
})

test('and never a third time', async () => {
  const { client, api, calls, asked } = await createWorld({
    api: ({ authorization }, response) => response.writeHead(401).end(`not ${authorization}`),
  })
  const response = await client.authenticatedFetch('google')(api)
  expect({ status: response.status, text: await response.text() }).toEqual({
    status: 401,
    text: 'not Bearer at-2',
  })
  expect(calls).toHaveLength(2)
  expect(asked).toHaveLength(2)
})

test('the replacement is asked for by the same options', async () => {
  const { client, api, asked } = await createWorld()
  await client.authenticatedFetch('google', { subject: 's', minTtl: 5 })(api)
  expect(asked).toEqual([
    { subject: 's', min_ttl: '5' },
    { subject: 's', min_ttl: '5', rejected_version: '1' },
  ])
})

// Which the types of a request leave out.
const half = { duplex: 'half' }

describe('a body is sent again:', () => {
  const form = () => {
    const fields = new FormData()
    fields.set('a', 'b')
    return fields
  }
  const bodies: [string, (api: string) => Parameters<typeof fetch>][] = [
    ['a text', (api) => [api, { method: 'POST', body: 'hello' }]],
    ['bytes', (api) => [api, { method: 'POST', body: new TextEncoder().encode('hello') }]],
    ['a buffer', (api) => [api, { method: 'POST', body: new TextEncoder().encode('hello').buffer }]],
    ['a blob', (api) => [api, { method: 'POST', body: new Blob(['hello'], { type: 'text/x-a' }) }]],
    ['parameters', (api) => [api, { method: 'POST', body: new URLSearchParams({ a: 'b' }) }]],
    ['a form', (api) => [api, { method: 'POST', body: form() }]],
    ['that of a Request', (api) => [new Request(api, { method: 'POST', body: 'hello' })]],
    ['the form of a Request', (api) => [new Request(api, { method: 'POST', body: form() })]],
    ['the stream of a Request', (api) => [new Request(api, { method: 'POST', body: stream(), ...half })]],
    ['one beside a Request', (api) => [new Request(api, { method: 'POST', body: 'not this' }), { body: 'hello' }]],
  ]
  test.each(bodies)('%s', async (_, of) => {
    const { client, api, calls } = await createWorld()
    const response = await client.authenticatedFetch('google')(...of(api))
    expect(await response.text()).toBe('welcome')
    const sent = calls.map(({ body }) => body.replaceAll(/formdata-undici-\d+/g, ''))
    expect(sent[0]).toMatch(/hello|a=b|name="a"/)
    expect(sent[1]).toBe(sent[0])
    const [first, second] = calls.map(({ headers }) => headers)
    expect(second?.['content-length']).toBe(first?.['content-length'])
    expect(Boolean(second?.['content-type'])).toBe(Boolean(first?.['content-type']))
  })
})

describe('the 401 of the API is given back as it is', () => {
  test.each([
    ['when the vault has no other token', () => answerJson(200, token(1))],
    ['when there is nothing to refresh with', () => problem('grant_not_refreshable')],
  ])('%s', async (_, other) => {
    const { client, api, calls, asked } = await createWorld({
      vault: (query) => ('rejected_version' in query ? other() : answerJson(200, token(1))),
    })
    const response = await client.authenticatedFetch('google')(api)
    expect({ status: response.status, text: await response.text() }).toEqual({ status: 401, text: 'refused' })
    expect(calls).toHaveLength(1)
    expect(asked).toHaveLength(2)
  })

  test.each([
    ['of the web', stream],
    ['of Node', () => Readable.toWeb(Readable.from(['hello']))],
    ['made by a generator', generate],
  ])('when the body was a stream %s, and the vault is told all the same', async (_, body) => {
    const { client, api, calls, asked } = await createWorld()
    const init = { method: 'POST', body: body() as BodyInit, ...half }
    const response = await client.authenticatedFetch('google')(api, init)
    expect({ status: response.status, text: await response.text() }).toEqual({ status: 401, text: 'refused' })
    expect(calls).toMatchObject([{ body: 'hello' }])
    expect(asked).toEqual([{}, { rejected_version: '1' }])
  })
})

test.each(['grant_expired', 'grant_revoked', 'refresh_in_progress', 'provider_unavailable'] as const)(
  'what the vault says instead of another token is thrown: %s',
  async (code) => {
    const { client, api } = await createWorld({
      vault: (query) => ('rejected_version' in query ? problem(code) : answerJson(200, token(1))),
    })
    const error = await thrown(() => client.authenticatedFetch('google')(api))
    expect(error).toMatchObject({ code, detail: `because of ${code}`, hint: expect.any(String) })
  },
)

describe('a refused answer that nobody will read is let go of', () => {
  test.each([
    ['when the request is sent again', () => answerJson(200, token(2)), '200'],
    ['when the vault says why not', () => problem('grant_expired'), 'grant_expired'],
  ])('%s', async (_, other, outcome) => {
    const { promise: letGo, resolve } = Promise.withResolvers<void>()
    const { client, api } = await createWorld({
      vault: (query) => ('rejected_version' in query ? other() : answerJson(200, token(1))),
      api({ authorization }, response) {
        if (authorization !== 'Bearer at-1') return response.end('welcome')
        response.on('close', resolve)
        response.writeHead(401).write('an answer that never ends')
      },
    })
    const ended = client
      .authenticatedFetch('google')(api)
      .then(
        ({ status }) => String(status),
        ({ code }: { code: string }) => code,
      )
    expect(await ended).toBe(outcome)
    await letGo
  })
})

function stream(): ReadableStream {
  return new Blob(['hello']).stream()
}

async function* generate() {
  yield new TextEncoder().encode('hello')
}
