import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { createClient } from '../src/index.ts'
import { answerJson, serve, vacantOrigin } from './support/serve.ts'
import { thrown } from './support/thrown.ts'

const apiKey = 'ak_canary-key-0123456789'
const problem = {
  type: 'https://example.com/errors/grant_expired',
  title: 'The authorization has expired at the provider',
  status: 409,
  code: 'grant_expired',
  detail: 'Google no longer accepts this refresh token',
  hint: 'Someone must authorize again.',
  request_id: 'req-1',
}

describe('a problem from the vault', () => {
  test('becomes an error with its code, words, status and request id', async () => {
    const url = await serve(answerJson(409, problem))
    const error = await thrown(() => createClient({ url, apiKey }).getConnectionToken('google'))
    expect(error).toMatchObject({
      code: 'grant_expired',
      status: 409,
      title: problem.title,
      detail: problem.detail,
      message: problem.detail,
      hint: problem.hint,
      requestId: 'req-1',
    })
  })

  test('keeps which fields are wrong', async () => {
    const errors = [{ pointer: 'body/name', detail: 'must match pattern' }]
    const url = await serve(answerJson(400, { ...problem, code: 'invalid_request', errors }))
    const error = await thrown(() => createClient({ url, apiKey }).call('listProviders'))
    expect(error.errors).toEqual(errors)
  })

  test.each([
    ['17', 17],
    [new Date(Date.now() + 60_000).toUTCString(), 60],
    ['soon', undefined],
  ])('reads Retry-After %s', async (header, seconds) => {
    const url = await serve(answerJson(503, { ...problem, code: 'not_ready' }, { 'retry-after': header }))
    const error = await thrown(() => createClient({ url, apiKey }).call('listProviders'))
    if (seconds === undefined) expect(error.retryAfter).toBeUndefined()
    else expect(Math.abs((error.retryAfter ?? -99) - seconds)).toBeLessThanOrEqual(1)
  })

  test('with a code this version does not know keeps its words', async () => {
    const url = await serve(answerJson(418, { ...problem, code: 'teapot' }))
    const error = await thrown(() => createClient({ url, apiKey }).call('listProviders'))
    expect(error).toMatchObject({ code: 'vault_answer_invalid', status: 418, hint: problem.hint })
    expect(error.detail).toContain(problem.detail)
    expect(error.detail).toContain('teapot')
  })

  test('does not show the API key even when the server sends it back', async () => {
    const url = await serve((request, response) =>
      answerJson(400, { ...problem, detail: `you sent ${request.headers.authorization}` })(request, response),
    )
    const error = await thrown(() => createClient({ url, apiKey }).call('listProviders'))
    expect(error.detail).toBe('you sent Bearer [secret]')
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain(apiKey)
  })
})

describe('something that is not a vault', () => {
  test('is not followed when it redirects', async () => {
    let followed = false
    const elsewhere = await serve((_, response) => {
      followed = true
      response.end('{}')
    })
    const url = await serve((_, response) => response.writeHead(307, { location: elsewhere }).end())
    const error = await thrown(() => createClient({ url, apiKey }).call('listProviders'))
    expect(error).toMatchObject({ code: 'vault_answer_invalid', status: 307 })
    expect(followed).toBe(false)
  })

  test.each([
    ['HTML', 200, 'text/html', '<h1>hello</h1>'],
    ['an HTML error', 502, 'text/html', '<h1>bad gateway</h1>'],
    ['JSON that is cut off', 200, 'application/json', '{"access_token":"canary-token'],
    ['a JSON array', 200, 'application/json', '[]'],
    ['JSON under another type', 200, 'text/plain', '{}'],
    ['nothing', 200, 'application/json', ''],
    ['an error without a code', 500, 'application/json', '{"error":"oops"}'],
  ])('answering with %s gives vault_answer_invalid and shows nothing of it', async (_, status, type, body) => {
    const url = await serve((_, response) => response.writeHead(status, { 'content-type': type }).end(body))
    const error = await thrown(() => createClient({ url, apiKey }).call('listProviders'))
    expect(error).toMatchObject({ code: 'vault_answer_invalid', status })
    expect(inspect(error, { depth: null })).not.toContain('canary-token')
  })

  test.each([
    ['listConnections', {}, 'connections, next'],
    ['listConnections', { connections: null, next: null }, 'connections'],
    ['listProviders', { providers: {} }, 'providers'],
    ['getHealth', { status: 1 }, 'status'],
    ['listCallers', { callers: [] }, 'next'],
  ] as const)('answering %s with %j gives vault_answer_invalid', async (operation, answer, names) => {
    const url = await serve(answerJson(200, answer))
    const error = await thrown(() => createClient({ url, apiKey }).call(operation))
    expect(error.code).toBe('vault_answer_invalid')
    expect(error.detail).toContain(`here: ${names}.`)
  })

  test('may answer more than this client knows', async () => {
    const url = await serve(answerJson(200, { connections: [], next: null, more: true }))
    const client = createClient({ url, apiKey })
    expect(await client.call('listConnections')).toMatchObject({ connections: [] })
  })

  test('is cut off when it does not stop sending', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const chunk = Buffer.alloc(1024 * 1024, ' ')
      const send = () => {
        while (!response.destroyed && response.write(chunk));
      }
      response.on('drain', send)
      send()
    })
    const error = await thrown(() => createClient({ url, apiKey }).call('listProviders'))
    expect(error.code).toBe('vault_answer_invalid')
    expect(error.detail).toContain('more than')
  })
})

describe('no vault', () => {
  test('listening there is vault_unreachable, in words', async () => {
    const url = await vacantOrigin()
    const error = await thrown(() => createClient({ url, apiKey }).call('listProviders'))
    expect(error).toMatchObject({ code: 'vault_unreachable', status: 0 })
    expect(error.detail).toBe(`${url}: nothing listens there (connection refused)`)
  })

  test('answering in time is vault_unreachable', async () => {
    const url = await serve(() => {})
    const error = await thrown(() => createClient({ url, apiKey, timeout: 50 }).call('listProviders'))
    expect(error).toMatchObject({ code: 'vault_unreachable', detail: `${url}: no answer within 0.05 seconds` })
  })

  test('finishing its answer in time is vault_unreachable', async () => {
    const url = await serve((_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).write('{'),
    )
    const error = await thrown(() => createClient({ url, apiKey }).call('listProviders', {}, { timeout: 50 }))
    expect(error.code).toBe('vault_unreachable')
  })

  test('hanging up in the middle is vault_unreachable', async () => {
    const url = await serve((request) => request.socket.destroy())
    const error = await thrown(() => createClient({ url, apiKey }).call('listProviders'))
    expect(error.code).toBe('vault_unreachable')
  })
})
