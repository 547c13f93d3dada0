import { expect, inject, test } from 'vitest'
import { staleWriter } from '../../bench/refresh-storm/stale-writer.ts'
import { missed } from './support/missed.ts'

test('a vault that was stopped during a refresh changes nothing when it goes on after another has refreshed', async () => {
  const found = await staleWriter({ serverUrl: inject('postgresUrl'), repetitions: 1, providerMs: 1_000 })
  expect(missed(found)).toEqual([])
}, 60_000)
