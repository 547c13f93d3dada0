import type { Token } from '@authconn/shared'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { authconnection, createClient } from '../src/index.ts'
import { answerJson, serve } from './support/serve.ts'
import { thrown } from './support/thrown.ts'
import { createWorld, problem, token } from './support/world.ts'

/** A vault whose tokens end after some seconds by its own clock, which is `ahead` of the one here. */
async function vaultWith({
  life = 3600,
  ahead = 0,
  reuseFor,
}: {
  life?: number
  ahead?: number
  reuseFor?: number
}) {
  let version = 0
  const asked: URLSearchParams[] = []
  const url = await serve((request, response) => {
    asked.push(new URL(request.url ?? '', 'http://vault').searchParams)
    const now = Date.now() + ahead * 1000
    const body: Token = token(++version, { expires_at: new Date(now + life * 1000).toISOString() })
    response.sendDate = false
    answerJson(200, body, { date: new Date(now).toUTCString() })(request, response)
  })
  return { asked, client: createClient({ url, apiKey: 'ak_test', reuseFor }) }
}

/** Moves the clock on, and leaves the timers alone. */
function pass(seconds: number): void {
  vi.setSystemTime(Date.now() + seconds * 1000)
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('a token is given again without asking the vault', () => {
  test('for sixty seconds', async () => {
    const { client, asked } = await vaultWith({})
    const first = await client.getConnectionToken('google')
    pass(59)
    expect(await client.getConnectionToken('google')).toEqual(first)
    expect(asked).toHaveLength(1)
    pass(1)
    expect((await client.getConnectionToken('google')).version).toBe(2)
  })

  test('for as long as is said', async () => {
    const { client } = await vaultWith({ reuseFor: 600 })
    await client.getConnectionToken('google')
    pass(599)
    expect((await client.getConnectionToken('google')).version).toBe(1)
  })

  test('never when that is said', async () => {
    const { client } = await vaultWith({ reuseFor: 0 })
    await client.getConnectionToken('google')
    expect((await client.getConnectionToken('google')).version).toBe(2)
  })

  test('as a copy, which the caller may change', async () => {
    const { client } = await vaultWith({})
    const first = await client.getConnectionToken('google')
    first.access_token = 'changed'
    expect((await client.getConnectionToken('google')).access_token).toBe('at-1')
  })
})

describe('the vault is asked', () => {
  test.each([
    [100, 39, 1],
    [100, 42, 2],
  ])(
    'when a token of %i s has less than a minute to live: after %i s it is version %i',
    async (life, age, version) => {
      const { client } = await vaultWith({ life })
      await client.getConnectionToken('google')
      pass(age)
      expect((await client.getConnectionToken('google')).version).toBe(version)
    },
  )

  test.each([
    [3500, 2, 1],
    [3600, 2, 2],
    [0, 50, 1],
  ])('when it lives less than the %i s asked for: after %i s it is version %i', async (minTtl, age, version) => {
    const { client } = await vaultWith({})
    await client.getConnectionToken('google')
    pass(age)
    expect((await client.getConnectionToken('google', { minTtl })).version).toBe(version)
  })

  test.each([-900, 900])('by how long the token had to live, whose clock is %i s ahead', async (ahead) => {
    const { client } = await vaultWith({ life: 100, ahead })
    await client.getConnectionToken('google')
    pass(30)
    expect((await client.getConnectionToken('google')).version).toBe(1)
    pass(15)
    expect((await client.getConnectionToken('google')).version).toBe(2)
  })

  test('when the clock here was set back', async () => {
    const { client } = await vaultWith({})
    await client.getConnectionToken('google')
    pass(-7200)
    expect((await client.getConnectionToken('google')).version).toBe(2)
  })

  test.each([
    { forceRefresh: true },
    { rejectedVersion: 1 },
    { subject: 'user-1' },
    { requestId: 'job-17-step-3' },
  ])('for another token, with %j', async (options) => {
    const { client } = await vaultWith({})
    await client.getConnectionToken('google')
    expect((await client.getConnectionToken('google', options)).version).toBe(2)
  })

  test('once by all whose token was refused', async () => {
    const { client, asked } = await vaultWith({})
    const { version } = await client.getConnectionToken('google')
    await client.getConnectionToken('google', { rejectedVersion: version })
    expect((await client.getConnectionToken('google', { rejectedVersion: version })).version).toBe(2)
    expect(asked).toHaveLength(2)
  })

  test('again after it has said that there is no token any more', async () => {
    let revoked = false
    const { client, asked } = await createWorld(
      { vault: () => (revoked ? problem('grant_revoked') : answerJson(200, token(1))) },
      { reuseFor: 60 },
    )
    await client.getConnectionToken('google')
    revoked = true
    await thrown(() => client.getConnectionToken('google', { forceRefresh: true }))
    expect(await thrown(() => client.getConnectionToken('google'))).toMatchObject({ code: 'grant_revoked' })
    expect(asked).toHaveLength(3)
  })
})

test('no more than a thousand tokens are held, and the oldest goes first', async () => {
  const { client, asked } = await vaultWith({})
  for (let i = 0; i <= 1000; i++) await client.getConnectionToken('google', { subject: `user-${i}` })
  await client.getConnectionToken('google', { subject: 'user-1' })
  expect(asked).toHaveLength(1001)
  await client.getConnectionToken('google', { subject: 'user-0' })
  expect(asked).toHaveLength(1002)
})

test('an API that refuses the held token gets another one', async () => {
  const { client, api, calls, asked } = await createWorld({}, { reuseFor: 60 })
  const get = client.authenticatedFetch('google')
  await get(api)
  await get(api)
  expect(calls.map(({ authorization }) => authorization)).toEqual(['Bearer at-1', 'Bearer at-2', 'Bearer at-2'])
  expect(asked).toEqual([{}, { rejected_version: '1' }])
})

describe('authconnection', () => {
  afterEach(() => vi.unstubAllEnvs())

  test('holds tokens too, for the environment they came from', async () => {
    const [one, other] = [await createWorld(), await createWorld()]
    vi.stubEnv('AUTHCONN_API_KEY', 'ak_test')
    for (const { vaultUrl } of [one, one, other, one]) {
      vi.stubEnv('AUTHCONN_URL', vaultUrl)
      await authconnection.getConnectionToken('google')
    }
    expect([one.asked.length, other.asked.length]).toEqual([2, 1])
  })

  test('holds none when the environment says so', async () => {
    const { vaultUrl, asked } = await createWorld()
    vi.stubEnv('AUTHCONN_API_KEY', 'ak_test')
    vi.stubEnv('AUTHCONN_URL', vaultUrl)
    vi.stubEnv('AUTHCONN_TOKEN_REUSE_SECONDS', '0')
    await authconnection.getConnectionToken('google')
    await authconnection.getConnectionToken('google')
    expect(asked).toHaveLength(2)
    vi.stubEnv('AUTHCONN_TOKEN_REUSE_SECONDS', 'a while')
    expect(await thrown(() => authconnection.getConnectionToken('google'))).toMatchObject({ code: 'usage' })
  })
})

describe('callers who ask at once', () => {
  async function slowVault() {
    const answers = Promise.withResolvers<void>()
    onTestFinished(() => answers.resolve())
    let closed = 0
    const asked: string[] = []
    const url = await serve(async (request, response) => {
      asked.push(request.url ?? '')
      response.on('close', () => (closed += response.writableFinished ? 0 : 1))
      await answers.promise
      answerJson(200, token(asked.length))(request, response)
    })
    const client = createClient({ url, apiKey: 'ak_test', reuseFor: 0 })
    return { client, asked, answer: answers.resolve, closed: () => closed }
  }

  test('share one fetch, and each gets a token of its own', async () => {
    const { client, asked, answer } = await slowVault()
    const fetches = Array.from({ length: 50 }, () => client.getConnectionToken('google'))
    await expect.poll(() => asked.length).toBe(1)
    answer()
    const tokens = await Promise.all(fetches)
    expect(new Set(tokens.map(({ access_token }) => access_token)).size).toBe(1)
    expect(new Set(tokens).size).toBe(50)
    expect(asked).toHaveLength(1)
  })

  test.each([
    { subject: 's' },
    { minTtl: 5 },
    { forceRefresh: true },
    { timeout: 9000 },
    { requestId: 'request-1' },
  ])('do not share one with those who ask with %j', async (options) => {
    const { client, asked, answer } = await slowVault()
    const fetches = [client.getConnectionToken('google'), client.getConnectionToken('google', options)]
    await expect.poll(() => asked.length).toBe(2)
    answer()
    await Promise.all(fetches)
  })

  test('leave each for itself; the fetch ends with the last of them', async () => {
    const { client, asked, closed } = await slowVault()
    const [one, other] = [new AbortController(), new AbortController()]
    const first = client.getConnectionToken('google', { signal: one.signal })
    const second = client.getConnectionToken('google', { signal: other.signal })
    await expect.poll(() => asked.length).toBe(1)
    const reason = new Error('enough')
    one.abort(reason)
    await expect(first).rejects.toBe(reason)
    expect(closed()).toBe(0)
    other.abort(reason)
    await expect(second).rejects.toBe(reason)
    await expect.poll(closed).toBe(1)
  })

  test('share its failure, and the next one asks again', async () => {
    const { client, asked } = await createWorld({ vault: () => problem('grant_expired') })
    const fetches = [client.getConnectionToken('google'), client.getConnectionToken('google')]
    for (const { status } of await Promise.allSettled(fetches)) expect(status).toBe('rejected')
    await thrown(() => client.getConnectionToken('google'))
    expect(asked).toHaveLength(2)
  })
})
