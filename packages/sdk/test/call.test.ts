import { expect, test } from 'vitest'
import { createClient } from '../src/index.ts'
import { answerJson, bodyOf, serve } from './support/serve.ts'
import { thrown } from './support/thrown.ts'

const apiKey = 'ak_canary-key-0123456789'
const token = { access_token: 'at', token_type: 'Bearer', expires_at: '2030-01-01T00:00:00.000Z', version: 1 }

async function recorded(answer = answerJson(200, token)) {
  const requests: { method: string | undefined; url: string | undefined; headers: object; body: string }[] = []
  const origin = await serve(async (request, response) => {
    requests.push({
      method: request.method,
      url: request.url,
      headers: request.headers,
      body: await bodyOf(request),
    })
    answer(request, response)
  })
  return { requests, origin }
}

test('asks the endpoint of the operation, with the key as a bearer token', async () => {
  const { requests, origin } = await recorded()
  const client = createClient({ url: origin, apiKey })
  expect(await client.call('getToken', { params: { name: 'google' }, query: { subject: 'a b&c' } })).toEqual(token)
  expect(requests).toMatchObject([
    {
      method: 'GET',
      url: '/v1/connections/google/token?subject=a+b%26c',
      headers: { authorization: `Bearer ${apiKey}` },
    },
  ])
})

test('sends a body as JSON, and no body and no content type where there is none', async () => {
  const authorization = {
    ...{
      id: 'x',
      connection: 'google',
      subject: null,
      status: 'failed',
      redirect_uri: 'http://127.0.0.1/callback',
    },
    ...{ scopes: [], failure: null, failure_code: null, expires_at: '2030-01-01T00:00:00.000Z' },
  }
  const revocation = { connection: 'google', subject: null, status: 'revoked', upstream: 'revoked', detail: null }
  const { requests, origin } = await recorded(answerJson(200, { ...authorization, ...revocation }))
  const client = createClient({ url: origin, apiKey })
  await client.call('revokeGrant', { params: { name: 'google' }, body: {} })
  await client.call('cancelAuthorization', { params: { id: 'x' } })
  expect(requests[0]).toMatchObject({ body: '{}', headers: { 'content-type': 'application/json' } })
  expect(requests[1]?.body).toBe('')
  expect(requests[1]?.headers).not.toHaveProperty('content-type')
})

test('keeps the path of a vault that is behind one', async () => {
  const { requests, origin } = await recorded(answerJson(200, { providers: [] }))
  await createClient({ url: `${origin}/vault`, apiKey }).call('listProviders')
  expect(requests[0]?.url).toBe('/vault/v1/providers')
})

test('leaves out query fields that are undefined', async () => {
  const { requests, origin } = await recorded()
  await createClient({ url: origin, apiKey }).getConnectionToken('google', {})
  expect(requests[0]?.url).toBe('/v1/connections/google/token')
})

test.each(['', '.', '..'])('refuses %j as a name, which would ask another endpoint', async (name) => {
  const { requests, origin } = await recorded()
  const client = createClient({ url: origin, apiKey })
  expect(await thrown(() => client.getConnectionToken(name))).toMatchObject({ code: 'invalid_request' })
  expect(requests).toEqual([])
})

test('keeps a name with a slash within its part of the path', async () => {
  const { requests, origin } = await recorded()
  await createClient({ url: origin, apiKey }).getConnectionToken('../callers')
  expect(requests[0]?.url).toBe('/v1/connections/..%2Fcallers/token')
})

test('throws what the caller aborted with', async () => {
  const origin = await serve(() => {})
  const controller = new AbortController()
  const call = createClient({ url: origin, apiKey }).call('listProviders', {}, { signal: controller.signal })
  const reason = new Error('enough')
  controller.abort(reason)
  await expect(call).rejects.toBe(reason)
})

test.each([
  [{ status: 'ok' }, 'access_token, token_type, expires_at, version'],
  [{ ...token, version: undefined }, 'here: version.'],
  [{ ...token, access_token: '' }, 'without an access token'],
])('refuses an answer to a token fetch that lacks a part of one: %j', async (answer, words) => {
  const origin = await serve(answerJson(200, answer))
  const error = await thrown(() => createClient({ url: origin, apiKey }).getConnectionToken('google'))
  expect(error).toMatchObject({ code: 'vault_answer_invalid', detail: expect.stringContaining(words) })
})

test('sends the id by which a request is to be found, and none otherwise', async () => {
  const { requests, origin } = await recorded()
  const client = createClient({ url: origin, apiKey })
  await client.call('getToken', { params: { name: 'google' } }, { requestId: 'job-17.step-3' })
  await client.call('getToken', { params: { name: 'google' } })
  expect(requests[0]?.headers).toMatchObject({ 'x-request-id': 'job-17.step-3' })
  expect(requests[1]?.headers).not.toHaveProperty('x-request-id')
})
