import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from '../packages/server/test/support/postgres.ts'
import { judgeAims } from './footprint/aims.ts'
import { measureInstallation } from './footprint/installation.ts'
import { renderFootprint } from './footprint/render.ts'
import { measureBareFastify, measureVault } from './footprint/subjects.ts'
import type { Bench } from './main.ts'
import { machine } from './support/machine.ts'
import { say } from './support/say.ts'

export type Footprint = Awaited<ReturnType<typeof measure>>

/** What the vault costs before it does anything: time to start, memory, disk; beside a bare Fastify with pg. */
export const footprint: Bench = {
  summary: 'start-up time, memory, and size of the production install (about two minutes)',
  async run() {
    if (process.platform !== 'linux') throw new Error('The footprint is read from /proc, which only Linux has.')
    const data = await measure()
    return { data, text: renderFootprint(data), pass: data.aims.every((aim) => aim.pass) }
  },
}

async function measure() {
  const directory = await mkdtemp(join(tmpdir(), 'authconn-footprint-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  const postgres = await startPostgres()
  try {
    say('building and installing the vault as it is shipped')
    const vault = join(directory, 'vault')
    const installation = await measureInstallation(vault)
    say('measuring a bare Fastify with pg')
    const bareFastify = await measureBareFastify(vault, postgres.url)
    say('measuring the vault on PostgreSQL')
    const onPostgres = await measureVault(vault, join(directory, 'postgres'), postgres.url)
    say('measuring the vault on PGlite')
    const onPglite = await measureVault(vault, join(directory, 'pglite'), undefined)
    const aims = judgeAims({ installation, onPostgres })
    return { machine: machine(), installation, onPostgres, onPglite, bareFastify, aims }
  } finally {
    await postgres.stop()
  }
}
