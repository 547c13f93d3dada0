import { type Aim, atLeast, atMost, exactly } from '../support/aims.ts'
import { median, significant } from '../support/median.ts'
import type { Sample } from './measure.ts'
import type { SubjectName } from './subjects.ts'

export interface Row {
  subject: SubjectName
  connections: number
  perSecond: number
  /** Milliseconds. */
  p50: number
  p99: number
  /** Its throughput, as a part of the bare route's in the same round. */
  ofBare: number
  /** And as a multiple of the hand-written route's. */
  timesHandWritten: number
  /** Microseconds of processor that a fetch took, here and in PostgreSQL: what shares the machine changes it least. */
  usEach: number
  /** Cores that were used: by the process itself, by PostgreSQL, by wrk, and by everybody else on the machine. */
  cores: { subject: number; postgres: number; wrk: number; others: number }
}

type Figure = 'perSecond' | 'p50' | 'p99'

/** Medians of the rounds; the warming up is left out. */
export function tabulate(samples: Sample[]): Row[] {
  const counted = samples.filter(({ round }) => round > 0)
  const [first] = counted
  const ofFirstRound = counted.filter(({ round }) => round === first?.round)
  return ofFirstRound.map(({ subject, connections }) => {
    const own = counted.filter((each) => each.subject === subject && each.connections === connections)
    const of = (pick: (sample: Sample) => number) => significant(median(own.map(pick)))
    return {
      subject,
      connections,
      perSecond: Math.round(median(own.map(({ perSecond }) => perSecond))),
      p50: of(({ p50 }) => p50),
      p99: of(({ p99 }) => p99),
      ofBare: ratio(counted, 'perSecond', connections, subject, 'bare'),
      timesHandWritten: ratio(counted, 'perSecond', connections, subject, 'handWritten'),
      usEach: of(({ processors, perSecond }) => ((processors.subject + processors.postgres) / perSecond) * 1e6),
      cores: {
        subject: of(({ processors }) => processors.subject),
        postgres: of(({ processors }) => processors.postgres),
        wrk: of(({ cores }) => cores),
        others: of(({ processors, cores }) =>
          Math.max(0, processors.machine - processors.subject - processors.postgres - cores),
        ),
      },
    }
  })
}

/** What is promised, and what beyond that is aimed for. `records`: how many the vault wrote. */
export function judgeAims(samples: Sample[], records: number): { aims: Aim[]; further: Aim[] } {
  const counted = samples.filter(({ round }) => round > 0)
  const ofVault = samples.filter(({ subject }) => subject === 'vault')
  const sum = (of: Sample[], pick: (sample: Sample) => number) => of.reduce((total, each) => total + pick(each), 0)
  const ofBare = ratio(counted, 'perSecond', 64, 'vault', 'bare')
  const timesHandWritten = ratio(counted, 'perSecond', 64, 'vault', 'handWritten')
  const spread = ofVault.filter(({ round, connections }) => round > 0 && connections === 64)
  const [bare, handWritten] = ['of the bare route', '× the hand-written route']
  return {
    aims: [
      atLeast('fetches a second at 64 connections', bare, 0.25, ofBare),
      atLeast('fetches a second at 64 connections', handWritten, 2.5, timesHandWritten),
      atMost('p50 at 1 connection', handWritten, 1.1, ratio(counted, 'p50', 1, 'vault', 'handWritten')),
      atMost(
        'p99 at 64 connections',
        '× its p50',
        6,
        significant(median(spread.map(({ p50, p99 }) => p99 / p50))),
      ),
      exactly(
        'fetches without a token, in all',
        '',
        0,
        sum(samples, ({ refused, broken }) => refused + broken),
      ),
      atMost('answers without an audit record', '', 0, sum(ofVault, ({ requests }) => requests) - records),
    ],
    further: [
      atLeast('fetches a second at 64 connections', bare, 0.35, ofBare),
      atLeast('fetches a second at 64 connections', handWritten, 4, timesHandWritten),
    ],
  }
}

/** The median of the rounds' own ratios: what else the machine did in a round, it did to both. */
function ratio(
  samples: Sample[],
  figure: Figure,
  connections: number,
  one: SubjectName,
  other: SubjectName,
): number {
  const at = (subject: SubjectName) =>
    new Map(
      samples
        .filter((each) => each.subject === subject && each.connections === connections)
        .map((each) => [each.round, each[figure]]),
    )
  const others = at(other)
  return significant(median([...at(one)].map(([round, value]) => value / (others.get(round) ?? Number.NaN))))
}
