import { type Aim, atMost, exactly } from '../support/aims.ts'
import { median, significant } from '../support/median.ts'
import type { Sample } from './measure.ts'

export interface Row {
  grants: number
  auditRows: number
  vaults: number
  perSecond: number
  /** Milliseconds. */
  p50: number
  p99: number
  /** Its p50 as a multiple of that with the fewest grants, in the same round and with as many processes. */
  timesSmallest: number
  /** Microseconds of processor that a fetch took, here and in PostgreSQL: what shares the machine changes it least. */
  usEach: number
  /** Cores that were used: by the vaults together, by PostgreSQL, by wrk, and by everybody else on the machine. */
  cores: { vaults: number; postgres: number; wrk: number; others: number }
}

/** Medians of the rounds; the warming up is left out. */
export function tabulate(samples: Sample[]): Row[] {
  const counted = samples.filter(({ round }) => round > 0)
  const smallest = Math.min(...counted.map(({ grants }) => grants))
  const ofFirstRound = counted.filter(({ round }) => round === counted[0]?.round)
  return ofFirstRound.map(({ grants, auditRows, vaults }) => {
    const own = counted.filter((each) => each.grants === grants && each.vaults === vaults)
    const of = (pick: (sample: Sample) => number) => significant(median(own.map(pick)))
    return {
      grants,
      auditRows,
      vaults,
      perSecond: Math.round(median(own.map(({ perSecond }) => perSecond))),
      p50: of(({ p50 }) => p50),
      p99: of(({ p99 }) => p99),
      timesSmallest: timesOf(counted, vaults, grants, smallest),
      usEach: of(({ processors, perSecond }) => ((processors.vaults + processors.postgres) / perSecond) * 1e6),
      cores: {
        vaults: of(({ processors }) => processors.vaults),
        postgres: of(({ processors }) => processors.postgres),
        wrk: of(({ cores }) => cores),
        others: of(({ processors, cores }) =>
          Math.max(0, processors.machine - processors.vaults - processors.postgres - cores),
        ),
      },
    }
  })
}

export function judgeAims(samples: Sample[]): Aim[] {
  const counted = samples.filter(({ round }) => round > 0)
  const sizes = counted.map(({ grants }) => grants)
  const [smallest, largest] = [Math.min(...sizes), Math.max(...sizes)]
  return [
    atMost(
      `p50 at 16 connections with ${largest} grants`,
      `× that with ${smallest}`,
      1.25,
      timesOf(counted, 1, largest, smallest),
    ),
    exactly(
      'fetches without a token, in all',
      '',
      0,
      samples.reduce((sum, { refused, broken }) => sum + refused + broken, 0),
    ),
  ]
}

/** The median of the rounds' own ratios: what else the machine did in a round, it did to both. */
function timesOf(samples: Sample[], vaults: number, grants: number, smallest: number): number {
  const at = (size: number) => samples.filter((each) => each.vaults === vaults && each.grants === size)
  const beside = new Map(at(smallest).map(({ round, p50 }) => [round, p50]))
  return significant(median(at(grants).map(({ round, p50 }) => p50 / (beside.get(round) ?? Number.NaN))))
}
