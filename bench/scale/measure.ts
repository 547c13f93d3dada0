import { join } from 'node:path'
import { familyOf, type ProcessorUse, watchProcessors } from '../support/processors.ts'
import { say } from '../support/say.ts'
import { type Load, runWrk } from '../support/wrk.ts'
import type { SizedVault } from './sized-vaults.ts'

export interface Sample extends Load {
  grants: number
  auditRows: number
  vaults: number
  round: number
  processors: ProcessorUse<'vaults' | 'postgres'>
}

export interface MeasuringPlan {
  rounds: number
  seconds: number
  connections: number
  /** How many processes share the load, one number after the other. */
  vaults: number[]
}

/** All sizes after each other for each number of processes, and that so many times. */
export async function measure(
  sized: SizedVault[],
  postmaster: number,
  plan: MeasuringPlan,
  directory: string,
): Promise<Sample[]> {
  const planFile = join(directory, 'wrk-plan.lua')
  const samples: Sample[] = []
  for (let round = 0; round <= plan.rounds; round++) {
    // The first goes before the count: it warms everything up, and looks into every answer.
    const check = round === 0
    say(check ? 'warming up' : `round ${round} of ${plan.rounds}`)
    for (const count of plan.vaults) {
      for (const { size, keys, vaults } of sized) {
        const asked = vaults.slice(0, count)
        const endWatch = await watchProcessors({
          vaults: async () => asked.map(({ pid }) => pid),
          postgres: () => familyOf(postmaster),
        })
        const load = await runWrk(
          {
            urls: asked.map(({ url }) => url),
            connections: plan.connections,
            seconds: plan.seconds,
            keys,
            grants: size,
            check,
          },
          planFile,
        )
        const processors = await endWatch()
        const { grants, auditRows } = size
        samples.push({ grants, auditRows, vaults: count, round, ...load, processors })
      }
    }
  }
  return samples
}
