import { fsyncSync, readlinkSync } from 'node:fs'
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

test.runIf(process.platform === 'linux')(
  'a checkpoint brings the files of tables to the disk before it says where the log begins anew',
  async () => {
    const directory = join(directoryWithDatabase(), 'database')
    const { db, close } = await openDatabase({ directory }, silentLog)
    onTestFinished(close)
    await sql`create table kept (id int primary key)`.execute(db)
    await sql`insert into kept select generate_series(1, 10000)`.execute(db)
    const { rows } = await sql<{ path: string }>`
      select pg_relation_filepath(oid) as path from pg_class where relname in ('kept', 'kept_pkey')
    `.execute(db)
    const synced: string[] = []
    vi.mocked(fsyncSync).mockImplementation((descriptor) => {
      synced.push(readlinkSync(`/proc/self/fd/${descriptor}`))
    })
    onTestFinished(() => void vi.mocked(fsyncSync).mockReset())
    await sql`checkpoint`.execute(db)

    const control = synced.indexOf(join(directory, 'global/pg_control'))
    expect(rows.length).toBe(2)
    for (const { path } of rows) {
      expect(synced).toContain(join(directory, path))
      expect(synced.indexOf(join(directory, path))).toBeLessThan(control)
    }
  },
)
