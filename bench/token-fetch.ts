import { bundle } from '../scripts/lib/bundle.ts'
import type { Bench } from './main.ts'
import { keepFlag, keepResults } from './support/keep-results.ts'
import { machine } from './support/machine.ts'
import { say } from './support/say.ts'
import { withRoom } from './support/with-room.ts'
import { judgeAims, tabulate } from './token-fetch/judge.ts'
import { type MeasuringPlan, measure } from './token-fetch/measure.ts'
import { renderTokenFetch } from './token-fetch/render.ts'
import { startSubjects } from './token-fetch/subjects.ts'

export type TokenFetch = Awaited<ReturnType<typeof measureTokenFetch>>

const connections = [1, 16, 64, 256]
const whole: MeasuringPlan = { rounds: 5, seconds: 2, connections }
const quick: MeasuringPlan = { rounds: 2, seconds: 1, connections }

/** Fetches of tokens from the vault as it is shipped, beside the least and the most that they could cost. */
export const tokenFetch: Bench = {
  summary: 'fetches of tokens beside a bare and a hand-written route (about four minutes)',
  flags: {
    '--quick': 'two rounds of a second: to look, not to tell',
    '--together': 'leaves it to the system what runs on which core',
    '--keep': keepFlag,
  },
  async run(flags) {
    if (process.platform !== 'linux') throw new Error('Processor time is read from /proc, which only Linux has.')
    const data = await measureTokenFetch(flags.has('--quick') ? quick : whole, flags.has('--together'))
    if (flags.has('--keep')) await keepResults('token-fetch', data)
    return { data, text: renderTokenFetch(data), pass: data.aims.every((aim) => aim.pass) }
  },
}

async function measureTokenFetch(plan: MeasuringPlan, together: boolean) {
  say('bundling')
  await bundle('server').run()
  return withRoom('token-fetch', async (room) => {
    const subjects = await startSubjects(room, together)
    const before = await subjects.countRecords()
    const samples = await measure(subjects, plan, room.directory)
    const records = (await subjects.countRecords()) - before
    const date = new Date().toISOString().slice(0, 10)
    const { ownCore } = subjects
    return {
      date,
      machine: machine(),
      ownCore,
      plan,
      table: tabulate(samples),
      ...judgeAims(samples, records),
      samples,
    }
  })
}
