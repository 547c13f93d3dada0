import { expect, inject, test } from 'vitest'
import { callersStorm } from '../../bench/refresh-storm/callers-storm.ts'
import { findPgbouncer } from '../../packages/server/test/support/pgbouncer.ts'
import { missed } from './support/missed.ts'

// How long the slowest waits is for the bench to say: a machine that runs tests has other things to do.
const plan = { callers: 200, warmUps: 1, repetitions: 2, providerMs: 200, allowanceMs: 10_000 }
const serverUrl = inject('postgresUrl')

test('callers of three vaults on PostgreSQL all have the new token after one provider call', async () => {
  expect(missed(await callersStorm({ ...plan, storage: { kind: 'postgres', serverUrl }, vaults: 3 }))).toEqual([])
}, 60_000)

test('callers of three vaults behind PgBouncer all have the new token after one provider call', async (context) => {
  if (!findPgbouncer()) context.skip('there is no pgbouncer in PATH or /usr/sbin')
  expect(missed(await callersStorm({ ...plan, storage: { kind: 'pgbouncer', serverUrl }, vaults: 3 }))).toEqual([])
}, 60_000)

test('callers of a vault on PGlite all have the new token after one provider call', async () => {
  expect(missed(await callersStorm({ ...plan, storage: { kind: 'pglite' }, vaults: 1 }))).toEqual([])
}, 60_000)
