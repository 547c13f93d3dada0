import { startPostgres } from '../packages/server/test/support/postgres.ts'
import { bundle } from '../scripts/lib/bundle.ts'
import type { Bench } from './main.ts'
import { judgeAims, tabulate } from './scale/judge.ts'
import { type MeasuringPlan, measure } from './scale/measure.ts'
import { renderScale } from './scale/render.ts'
import { type Size, sizeOf, startSizedVaults } from './scale/sized-vaults.ts'
import { keepFlag, keepResults } from './support/keep-results.ts'
import { machine } from './support/machine.ts'
import { postmasterOf } from './support/on-postgres.ts'
import { say } from './support/say.ts'
import { withRoom } from './support/with-room.ts'

export type Scale = Awaited<ReturnType<typeof measureScale>>

const plan: MeasuringPlan = { rounds: 5, seconds: 2, connections: 16, vaults: [1, 2, 3] }
const sizes = [sizeOf(1_000, 10_000), sizeOf(100_000, 10_000)]
const largeSizes = [sizeOf(1_000, 10_000), sizeOf(100_000, 1_000_000), sizeOf(1_000_000, 10_000_000)]

/** Fetches of tokens from vaults with few and with many grants, by one and by several processes. */
export const scale: Bench = {
  summary: 'fetches of tokens by number of grants and of vault processes (about two minutes)',
  flags: {
    '--large': 'up to a million grants and ten million audit records (about five minutes, 8 GB of disk)',
    '--keep': keepFlag,
  },
  async run(flags) {
    if (process.platform !== 'linux') throw new Error('Processor time is read from /proc, which only Linux has.')
    const data = await measureScale(flags.has('--large') ? largeSizes : sizes)
    if (flags.has('--keep')) await keepResults('scale', data)
    return { data, text: renderScale(data), pass: data.aims.every((aim) => aim.pass) }
  },
}

async function measureScale(sizes: Size[]) {
  say('bundling')
  await bundle('server').run()
  return withRoom('scale', async (room) => {
    const postgres = await startPostgres({ durable: true })
    room.atEnd(postgres.stop)
    const sized = await startSizedVaults(postgres.url, sizes, Math.max(...plan.vaults), room)
    const samples = await measure(sized, await postmasterOf(postgres.url), plan, room.directory)
    const date = new Date().toISOString().slice(0, 10)
    return { date, machine: machine(), plan, table: tabulate(samples), aims: judgeAims(samples), samples }
  })
}
