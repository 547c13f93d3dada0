import { describe, expect, test } from 'vitest'
import { createClient } from '../src/index.ts'
import { thrown } from './support/thrown.ts'
import { createWorld } from './support/world.ts'

test.each([
  [{ minTtl: 600 }, { min_ttl: '600' }],
  [{ minTtl: 0 }, { min_ttl: '0' }],
  [{ forceRefresh: true }, { force_refresh: 'true' }],
  [{ forceRefresh: false }, {}],
  [{ rejectedVersion: 7 }, { rejected_version: '7' }],
  [
    { subject: 'user-1', minTtl: 1, forceRefresh: true, rejectedVersion: 0 },
    { subject: 'user-1', min_ttl: '1', force_refresh: 'true', rejected_version: '0' },
  ],
  [{ subject: undefined, minTtl: undefined, signal: undefined, timeout: undefined }, {}],
])('a token fetch with %j asks the vault for %j', async (options, query) => {
  const { client, asked } = await createWorld()
  await client.getConnectionToken('google', options)
  expect(asked).toEqual([query])
})

test('a token has the version by which it can be refused', async () => {
  const { client } = await createWorld()
  const { version } = await client.getConnectionToken('google')
  expect(version).toBe(1)
  expect(await client.getConnectionToken('google', { rejectedVersion: version })).toMatchObject({ version: 2 })
})

describe('the vault waits for a refresh', () => {
  test.each([
    [120_000, '60'],
    [30_000, '29'],
    [10_999, '9'],
    [2000, '1'],
    [1500, '0'],
    [900, '0'],
  ])('no longer than leaves a second of a timeout of %i ms: %s s', async (timeout, max_wait) => {
    const { client, vaultUrl, asked } = await createWorld()
    await client.getConnectionToken('google', { timeout })
    await createClient({ url: vaultUrl, apiKey: 'ak_test', timeout }).getConnectionToken('google')
    expect(asked).toEqual([{ max_wait }, { max_wait }])
  })

  test('by the timeout of the call before that of the client', async () => {
    const { vaultUrl, asked } = await createWorld()
    const client = createClient({ url: vaultUrl, apiKey: 'ak_test', timeout: 60_000 })
    await client.getConnectionToken('google', { timeout: 6000 })
    expect(asked).toEqual([{ max_wait: '5' }])
  })
})

describe('a number that cannot be meant is refused before anything is sent', () => {
  test.each([
    [{ minTtl: -1 }, 'minTtl takes a whole number of seconds, 0 or more.'],
    [{ minTtl: 0.5 }, 'minTtl takes'],
    [{ minTtl: Number.NaN }, 'minTtl takes'],
    [{ minTtl: Number.POSITIVE_INFINITY }, 'minTtl takes'],
    [{ rejectedVersion: -1 }, 'rejectedVersion takes a whole number, 0 or more.'],
    [{ rejectedVersion: 1.5 }, 'rejectedVersion takes'],
    [{ rejectedVersion: Number.NaN }, 'rejectedVersion takes'],
    [{ timeout: 0 }, 'timeout takes a whole number of milliseconds, from 1 to 2147483647.'],
    [{ timeout: -1 }, 'timeout takes'],
    [{ timeout: 1.5 }, 'timeout takes'],
    [{ timeout: Number.NaN }, 'timeout takes'],
    [{ timeout: 2 ** 31 }, 'timeout takes'],
  ])('%j', async (options, words) => {
    const { client, asked } = await createWorld()
    const error = await thrown(() => client.getConnectionToken('google', options))
    expect(error).toMatchObject({ code: 'usage', title: 'An option is not valid' })
    expect(error.detail).toContain(words)
    expect(asked).toEqual([])
  })

  test('as the timeout of a client', async () => {
    const error = await thrown(() =>
      createClient({ url: 'https://vault.example.com', apiKey: 'ak_test', timeout: Number.NaN }),
    )
    expect(error).toMatchObject({ code: 'usage', detail: expect.stringContaining('timeout takes') })
  })
})
