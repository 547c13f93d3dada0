import { expect, inject, test } from 'vitest'
import { killInBacklog } from '../../bench/refresh-storm/kill-in-backlog.ts'
import { massRefresh } from '../../bench/refresh-storm/mass-refresh.ts'
import { missed } from './support/missed.ts'

const serverUrl = inject('postgresUrl')

test('vaults share the grants that come due at once, and refresh each of them once', async () => {
  const plan = { serverUrl, vaults: 3, grants: 120, providerMs: 20, perProvider: 8 }
  // How fast is for the bench to say.
  expect(missed(await massRefresh({ ...plan, leastShare: 0 }))).toEqual([])
}, 60_000)

test('what a vault was refreshing when it was killed is refreshed by another, while the provider forgives that', async () => {
  const plan = { serverUrl, vaults: 2, grants: 100, providerMs: 300, reuseInterval: 10 }
  expect(missed(await killInBacklog(plan))).toEqual([])
}, 60_000)
