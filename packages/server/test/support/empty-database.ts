import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { openDatabase } from '../../src/adapters/postgres/open-database.ts'
import { cache } from './cache.ts'

/** An embedded database with nothing in it, to be copied: to make one takes seconds of a processor, and all are alike. */
export interface EmptyDatabase {
  /** Its files, as a vault makes them at its first start. */
  directory: string
  /** The same in one file, for PGlite to load into memory. */
  image: string
}

/** Where the one for this version of PGlite is kept from run to run; made when it is not there yet. */
export async function keepEmptyDatabase(): Promise<EmptyDatabase> {
  const kept = join(cache, `empty-database-${pgliteVersion()}`)
  if (!existsSync(kept)) await make(kept)
  return partsOf(kept)
}

const partsOf = (path: string): EmptyDatabase => ({
  directory: join(path, 'directory'),
  image: join(path, 'image.tar'),
})

function pgliteVersion(): string {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite')
  return JSON.parse(readFileSync(join(dirname(entry), '../package.json'), 'utf8')).version
}

/** Elsewhere first, so that a run that dies, or another at the same time, leaves no half of one. */
async function make(kept: string): Promise<void> {
  await mkdir(cache, { recursive: true })
  const scratch = await mkdtemp(join(cache, 'making-'))
  const { directory, image } = partsOf(scratch)
  try {
    await mkdir(directory, { mode: 0o700 })
    const { db, close } = await openDatabase({ directory }, { info() {}, warn() {}, error() {} })
    await db.selectNoFrom(({ lit }) => lit(1).as('one')).execute()
    await close()
    const pglite = await PGlite.create(directory)
    await writeFile(image, await (await pglite.dumpDataDir('none')).bytes())
    await pglite.close()
    await rename(scratch, kept)
  } catch (error) {
    await rm(scratch, { recursive: true, force: true })
    if (!existsSync(kept)) throw error
  }
}
