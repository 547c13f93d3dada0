import type { RequestListener } from 'node:http'
import { type ErrorCode, errorTable } from '@authconn/shared/errors'
import { describe, expect, test } from 'vitest'
import { createClient } from '../src/index.ts'
import { answerJson, serve, vacantOrigin } from './support/serve.ts'
import { thrown } from './support/thrown.ts'
import { createWorld, problem, token } from './support/world.ts'

function later(code: ErrorCode, retryAfter: string): RequestListener {
  const { status, title, hint } = errorTable[code]
  return answerJson(status, { title, status, code, detail: 'not now', hint }, { 'retry-after': retryAfter })
}

const hangUp: RequestListener = (request) => request.socket.destroy()
const gateway: RequestListener = (_, response) =>
  response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>')

/** A vault that gives these answers in turn, and then tokens. */
async function vaultAnswering(...answers: RequestListener[]) {
  const times: number[] = []
  const url = await serve((request, response) => {
    const answer = answers[times.length] ?? answerJson(200, token(7))
    times.push(performance.now())
    answer(request, response)
  })
  return { url, times, client: createClient({ url, apiKey: 'ak_test' }) }
}

describe('a token fetch is tried again', () => {
  test.each([
    'refresh_in_progress',
    'provider_unavailable',
    'too_many_requests',
    'overloaded',
    'audit_unavailable',
    'database_unavailable',
    'kms_unavailable',
    'not_ready',
  ] as const)('after the time that the vault says: %s', async (code) => {
    const { client, times } = await vaultAnswering(later(code, '1'))
    expect((await client.getConnectionToken('google')).version).toBe(7)
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(995)
  })

  test.each([
    ['the connection breaks', hangUp],
    ['a gateway has no vault to ask', gateway],
  ])('soon when %s', async (_, answer) => {
    const { client, times } = await vaultAnswering(answer, answer)
    expect((await client.getConnectionToken('google')).version).toBe(7)
    expect(times).toHaveLength(3)
    expect((times[2] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(300)
  })

  test('as often as said', async () => {
    const { url, times } = await vaultAnswering(later('overloaded', '0'), later('overloaded', '0'))
    const once = createClient({ url, apiKey: 'ak_test', retries: 1 })
    expect(await thrown(() => once.getConnectionToken('google'))).toMatchObject({ code: 'overloaded' })
    expect(times).toHaveLength(2)
  })
})

describe('a token fetch is not tried again', () => {
  test('when that is said', async () => {
    const { url, times } = await vaultAnswering(later('overloaded', '0'))
    const never = createClient({ url, apiKey: 'ak_test', retries: 0 })
    expect(await thrown(() => never.getConnectionToken('google'))).toMatchObject({ code: 'overloaded' })
    expect(times).toHaveLength(1)
  })

  test('when the wait would outlast the timeout: the error comes at once, and says how long', async () => {
    const { client, times } = await vaultAnswering(later('provider_unavailable', '40'))
    const begun = performance.now()
    const error = await thrown(() => client.getConnectionToken('google'))
    expect(error).toMatchObject({ code: 'provider_unavailable', retryAfter: 40 })
    expect(performance.now() - begun).toBeLessThan(2000)
    expect(times).toHaveLength(1)
  })

  test.each(['grant_expired', 'permission_denied', 'unauthenticated', 'client_rejected'] as const)(
    'when it would end in the same way: %s',
    async (code) => {
      const { client, asked } = await createWorld({ vault: () => problem(code) })
      expect(await thrown(() => client.getConnectionToken('google'))).toMatchObject({ code })
      expect(asked).toHaveLength(1)
    },
  )

  test('once the time is over', async () => {
    const { url, times } = await vaultAnswering(
      () => {},
      () => {},
    )
    const client = createClient({ url, apiKey: 'ak_test', timeout: 200 })
    expect(await thrown(() => client.getConnectionToken('google'))).toMatchObject({
      code: 'vault_unreachable',
      detail: expect.stringContaining('no answer within 0.2 seconds'),
    })
    expect(times).toHaveLength(1)
  })

  test('when the caller has left', async () => {
    const { client, times } = await vaultAnswering(later('overloaded', '20'))
    const controller = new AbortController()
    const fetching = client.getConnectionToken('google', { signal: controller.signal })
    await expect.poll(() => times.length).toBe(1)
    const reason = new Error('enough')
    controller.abort(reason)
    await expect(fetching).rejects.toBe(reason)
    expect(times).toHaveLength(1)
  })
})

test('where nothing listens, that is said after two retries', async () => {
  const url = await vacantOrigin()
  const error = await thrown(() => createClient({ url, apiKey: 'ak_test' }).getConnectionToken('google'))
  expect(error).toMatchObject({ code: 'vault_unreachable' })
})

test('no other operation is repeated', async () => {
  const { client, times } = await vaultAnswering(later('overloaded', '0'))
  await thrown(() => client.call('revokeGrant', { params: { name: 'google' }, body: {} }))
  expect(times).toHaveLength(1)
})

test.each([{ retries: -1 }, { retries: 1.5 }, { reuseFor: -1 }, { reuseFor: Number.NaN }])(
  'a client with %j is refused',
  async (settings) => {
    const options = { url: 'https://vault.example.com', apiKey: 'ak_test', ...settings }
    expect(await thrown(() => createClient(options))).toMatchObject({ code: 'usage' })
  },
)
