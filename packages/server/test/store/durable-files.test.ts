import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fsyncSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
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

describe.runIf(process.platform === 'linux')('on a disk that fails', () => {
  const largeInsert = 'insert into kept select generate_series(1, 100000)'

  async function run(directory: string, ...given: string[]) {
    const script = fileURLToPath(new URL('../support/failing-disk.process.ts', import.meta.url))
    const child = spawn(process.execPath, [script, directory, ...given])
    const [output, words, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit'),
    ])
    return { output, words, code }
  }

  test.each([
    ['a commit whose log is not synced', 'insert into kept values (2)', 'fsync', '/pg_wal/'],
    ['a commit whose log has no room', 'insert into kept values (2)', 'write', '/pg_wal/'],
    ['a checkpoint whose tables are not synced', 'checkpoint', 'fsync', '/base/'],
    ['a checkpoint that cannot be noted', 'checkpoint', 'write', '/pg_control'],
  ])('%s ends the process and is not answered', async (_, ...given) => {
    const directory = join(directoryWithDatabase(), 'database')
    const { output, words, code } = await run(directory, ...given)
    expect(words).toMatch(/^The disk does not take what the embedded database writes/)
    expect([output, code]).toEqual(['', 1])

    const { db, close } = await openDatabase({ directory }, silentLog)
    onTestFinished(close)
    const { rows } = await sql<{ id: number }>`select id from kept order by id limit 1`.execute(db)
    expect(rows).toEqual([{ id: 1 }])
  })

  test('a statement whose tables have no room is refused, and answered when they have', async () => {
    const directory = join(directoryWithDatabase(), 'database')
    expect(await run(directory, largeInsert, 'write', '/base/')).toEqual({
      output: 'refused answered ',
      words: '',
      code: 0,
    })
  })
})
