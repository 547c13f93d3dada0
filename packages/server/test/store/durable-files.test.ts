import { fsyncSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openDatabase } from '../../src/adapters/postgres/open-database.ts'
import { silentLog } from '../support/stores.ts'
import { directoryWithDatabase } from '../support/vault-process.ts'

vi.mock('node:fs', { spy: true })

test('the embedded database brings every commit to the disk before it answers', async () => {
  const { db, close } = await openDatabase({ directory: join(directoryWithDatabase(), 'database') }, silentLog)
  onTestFinished(close)
  await sql`create table kept (id int)`.execute(db)
  const synced = vi.mocked(fsyncSync).mock
  for (let id = 0; id < 5; id++) {
    const before = synced.calls.length
    await sql`insert into kept values (${id})`.execute(db)
    expect(synced.calls.length).toBeGreaterThan(before)
  }
})
