import { join } from 'node:path'
import { familyOf, type ProcessorUse, watchProcessors } from '../support/processors.ts'
import { say } from '../support/say.ts'
import { type Load, runWrk } from '../support/wrk.ts'
import { grantsAsked, type SubjectName, type Subjects } from './subjects.ts'

export interface Sample extends Load {
  subject: SubjectName
  connections: number
  round: number
  processors: ProcessorUse<'subject' | 'postgres'>
}

export interface MeasuringPlan {
  rounds: number
  seconds: number
  connections: number[]
}

/** All subjects after each other at each number of connections, and that so many times. */
export async function measure(subjects: Subjects, plan: MeasuringPlan, directory: string): Promise<Sample[]> {
  const planFile = join(directory, 'wrk-plan.lua')
  const samples: Sample[] = []
  for (let round = 0; round <= plan.rounds; round++) {
    // The first goes before the count: it warms everything up, and looks into every answer.
    const check = round === 0
    say(check ? 'warming up' : `round ${round} of ${plan.rounds}`)
    for (const connections of plan.connections) {
      for (const { name: subject, url, pid, keys } of subjects.all) {
        const endWatch = await watchProcessors({
          subject: async () => [pid],
          postgres: () => familyOf(subjects.postmaster),
        })
        const seconds = check ? 1 : plan.seconds
        const load = await runWrk(
          { urls: [url], connections, seconds, keys, grants: grantsAsked, check },
          planFile,
        )
        samples.push({ subject, connections, round, ...load, processors: await endWatch() })
      }
    }
  }
  return samples
}
