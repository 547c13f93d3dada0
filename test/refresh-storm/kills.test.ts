import { expect, inject, test } from 'vitest'
import { killStorm } from '../../bench/refresh-storm/kill-storm.ts'
import { missed } from './support/missed.ts'

test('after many kills each grant works, or says that a refresh of it was interrupted', async () => {
  const found = await killStorm({
    serverUrl: inject('postgresUrl'),
    vaults: 3,
    grants: 24,
    kills: 12,
    pauseMs: [200, 900],
    accessTokenTtl: 4,
    providerMs: 50,
    reuseInterval: 0,
    callers: 3,
    settleMs: 5_000,
  })
  expect(missed(found)).toEqual([])
  expect(found).toMatchObject({ kills: 12 })
}, 120_000)
