import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest'
import { loadConfig } from '../../src/config/load-config.ts'
import { commandOutput, createLogger } from '../../src/logger.ts'
import { withStorage } from '../../src/open-storage.ts'
import { temporaryDatabase } from '../support/temporary-database.ts'

const database = temporaryDatabase(inject('postgresUrl'))
beforeAll(database.create)
afterAll(database.drop)

/** What a start is told when the database fails by that code. */
async function startUnder(failure: { code: string; constraint?: string }): Promise<unknown> {
  const directory = mkdtempSync(join(tmpdir(), 'authconn-storage-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const config = loadConfig({ DATABASE_URL: database.url, AUTHCONN_DATA_DIR: directory })
  return withStorage(config, createLogger('silent', commandOutput(1)), async () => {
    throw Object.assign(new Error('the words of the database'), failure)
  }).catch((error: unknown) => error)
}

test('a database that fails during a start does not answer', async () => {
  expect(await startUnder({ code: '57P01' })).toMatchObject({ code: 'database_unavailable' })
})

test('a database that refuses what is sealed with a key that is gone has answered', async () => {
  const refusal = { code: '23503', constraint: 'grants_access_token_data_key_fkey' }
  expect(await startUnder(refusal)).toMatchObject({ ...refusal, message: 'the words of the database' })
})
