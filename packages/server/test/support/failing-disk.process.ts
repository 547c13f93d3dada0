import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { sql } from 'kysely'
import { openDatabase } from '../../src/adapters/postgres/open-database.ts'

// Arguments: the directory of an embedded database, a statement, what fails meanwhile, and on which paths. Then all is well
// again, and the statement comes a second time.

const [, , directory = '', statement = '', call = '', path = ''] = process.argv
const log = { info() {}, warn() {}, error() {} }
const { db, close } = await openDatabase({ directory }, log)
await sql`create table if not exists kept (id int)`.execute(db)
await sql`insert into kept values (1)`.execute(db)

const { fsyncSync, writeSync } = fs
const fail = (descriptor: number, failing: string, code: string) => {
  if (call !== failing || !fs.readlinkSync(`/proc/self/fd/${descriptor}`).includes(path)) return
  throw Object.assign(new Error(`${code}: it fails`), { code })
}
fs.fsyncSync = (descriptor) => {
  fail(descriptor, 'fsync', 'EIO')
  fsyncSync(descriptor)
}
fs.writeSync = (descriptor: number, ...given: unknown[]) => {
  fail(descriptor, 'write', 'ENOSPC')
  return Reflect.apply(writeSync, fs, [descriptor, ...given])
}
syncBuiltinESMExports()
await tell()
Object.assign(fs, { fsyncSync, writeSync })
syncBuiltinESMExports()
await tell()
await close()

async function tell(): Promise<void> {
  const outcome = sql.raw(statement).execute(db)
  process.stdout.write(
    await outcome.then(
      () => 'answered ',
      () => 'refused ',
    ),
  )
}
