import { loadavg } from 'node:os'
import { startPostgres } from '../packages/server/test/support/postgres.ts'
import { bundle } from '../scripts/lib/bundle.ts'
import type { Bench } from './main.ts'
import { renderRefreshStorm } from './refresh-storm/render.ts'
import { type Found, scenarios } from './refresh-storm/scenarios.ts'
import { machine } from './support/machine.ts'

export type RefreshStorm = Awaited<ReturnType<typeof measure>>

/** Whether each token is refreshed once and none is lost, when much happens at once and processes die. */
export const refreshStorm: Bench = {
  summary: 'refreshing under many callers, many grants, kills and outages (about 25 minutes)',
  parts: Object.keys(scenarios),
  async run(parts) {
    if (process.platform !== 'linux') throw new Error('The storm is for Linux: it stops and continues processes.')
    const data = await measure(parts)
    return { data, text: renderRefreshStorm(data), pass: data.aims.every((aim) => aim.pass) }
  },
}

async function measure(parts: ReadonlySet<string>) {
  await bundle('server').run()
  const postgres = await startPostgres()
  const found: Found = {
    callers: [],
    slowProvider: [],
    massRefresh: [],
    kills: [],
    killInBacklog: [],
    staleWriter: [],
    outage: [],
  }
  /** Of the machine, in the minute before each: it may have had other things to do. */
  const load: Record<string, number> = {}
  try {
    for (const [name, play] of Object.entries(scenarios)) {
      if (parts.size > 0 && !parts.has(name)) continue
      load[name] = Math.round((loadavg()[0] ?? 0) * 10) / 10
      console.error(`${name} …`)
      Object.assign(found, await play(postgres.url))
    }
  } finally {
    await postgres.stop()
  }
  const { baseline: _, ...judged } = found
  const aims = Object.values(judged).flatMap((results) => results.flatMap((result) => result.aims))
  return { machine: machine(), load, ...found, aims }
}
