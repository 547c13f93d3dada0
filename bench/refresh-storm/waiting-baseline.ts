import { fileURLToPath } from 'node:url'
import { percentiles } from '../support/percentiles.ts'
import { startProgram } from '../support/program.ts'
import { openStorm } from '../support/storm.ts'
import { type Summary, summarize } from '../support/summarize.ts'

export interface WaitingBaseline {
  processes: number
  callers: number
  waitMs: number
  /** Milliseconds until the last answer was there. */
  slowest: Summary
}

const program = fileURLToPath(new URL('../baselines/waiting-fastify.mjs', import.meta.url))

/** What the machine itself needs for so many GETs at once, to processes that only wait before they answer. */
export async function waitingBaseline(plan: {
  processes: number
  callers: number
  waitMs: number
  repetitions: number
}): Promise<WaitingBaseline> {
  const { processes, callers, waitMs } = plan
  const start = () =>
    startProgram([program], (port) => ({ NODE_ENV: 'production', PORT: String(port), WAIT_MS: String(waitMs) }), {
      exitWithParent: true,
    })
  const programs = await Promise.all(Array.from({ length: processes }, start))
  try {
    const baseUrls = programs.map(({ url }) => url)
    const storm = await openStorm({ baseUrls, connections: callers, warmUpPath: '/readyz' })
    const slowest: number[] = []
    for (let run = 0; run <= plan.repetitions; run++) {
      const { answers } = await storm.send({ path: '/token' })
      // The first warms them up.
      if (run > 0) slowest.push(percentiles(answers.map(({ ms }) => ms)).max)
    }
    storm.close()
    return { processes, callers, waitMs, slowest: summarize(slowest) }
  } finally {
    await Promise.all(programs.map((each) => each.stop()))
  }
}
