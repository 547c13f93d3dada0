import { expect, inject, test } from 'vitest'
import { providerOutage } from '../../bench/refresh-storm/provider-outage.ts'
import { missed } from './support/missed.ts'

test('a provider that is down is left alone, and its grants are fresh soon after it is back', async () => {
  const found = await providerOutage({
    serverUrl: inject('postgresUrl'),
    replicas: 2,
    grants: 60,
    outage: [
      { fault: { kind: 'status', status: 503 }, seconds: 300 },
      { fault: { kind: 'reset' }, seconds: 120 },
    ],
    dueWithin: 200,
    callers: 2,
    // For the bench: here the machine is busy.
    freshWithin: 150,
    reuseInterval: 0,
    factors: { outage: 60, recovery: 10 },
  })
  expect(missed(found)).toEqual([])
  expect(found.answers).toMatchObject({
    'a valid token': expect.any(Number),
    'provider_unavailable with Retry-After': expect.any(Number),
  })
}, 90_000)
