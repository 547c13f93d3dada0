import { expect, inject, test } from 'vitest'
import { slowProvider } from '../../bench/refresh-storm/slow-provider.ts'
import { missed } from './support/missed.ts'

test('a provider that takes longer than a lease and than some callers wait is asked once, and nobody waits too long', async () => {
  const found = await slowProvider({
    serverUrl: inject('postgresUrl'),
    vaults: 2,
    callers: 40,
    providerMs: 5_500,
    maxWaits: [0, 1, 4, 15],
    allowanceMs: 3_000,
  })
  expect(missed(found)).toEqual([])
  expect(found).toMatchObject({ withToken: 10, toldToRetry: 30 })
}, 60_000)
