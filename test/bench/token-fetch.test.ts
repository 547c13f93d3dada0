import { describe, expect, test } from 'vitest'
import { readReport } from '../../bench/support/wrk.ts'
import { judgeAims, tabulate } from '../../bench/token-fetch/judge.ts'
import type { Sample } from '../../bench/token-fetch/measure.ts'
import type { SubjectName } from '../../bench/token-fetch/subjects.ts'

function sample(subject: SubjectName, connections: number, round: number, given: Partial<Sample>): Sample {
  return {
    subject,
    connections,
    round,
    requests: 1000,
    perSecond: 1000,
    p50: 1,
    p99: 5,
    max: 10,
    refused: 0,
    broken: 0,
    bytesPerAnswer: 900,
    cores: 0.1,
    processors: { subject: 0.5, postgres: 0.2, machine: 1 },
    ...given,
  }
}

/** Three rounds after the warming up; the machine is half as fast in the second. */
function samples(vault: Partial<Sample> = {}): Sample[] {
  return [1, 64].flatMap((connections) =>
    [0, 1, 2, 3].flatMap((round) => {
      const speed = round === 2 ? 0.5 : 1
      return [
        sample('bare', connections, round, { perSecond: 40_000 * speed }),
        sample('handWritten', connections, round, { perSecond: 4_000 * speed, p50: 2 / speed }),
        sample('vault', connections, round, {
          perSecond: 12_000 * speed,
          p50: 1 / speed,
          p99: 4 / speed,
          ...vault,
        }),
      ]
    }),
  )
}

const records = 8_000

describe('the table', () => {
  const row = tabulate(samples()).find((each) => each.subject === 'vault' && each.connections === 64)

  test('compares what was measured in the same round', () => {
    expect(row).toMatchObject({ perSecond: 12_000, p50: 1, p99: 4, ofBare: 0.3, timesHandWritten: 3 })
  })

  test('tells the processor time of each fetch and what the rest of the machine did', () => {
    expect(row).toMatchObject({ usEach: 58.3, cores: { subject: 0.5, postgres: 0.2, wrk: 0.1, others: 0.2 } })
  })
})

describe('the aims', () => {
  const missed = (vault: Partial<Sample>, counted = records) =>
    judgeAims(samples(vault), counted).aims.flatMap(({ pass, what, unit }) =>
      pass ? [] : [`${what} ${unit}`.trim()],
    )

  test('are met by a vault that is fast enough', () => {
    expect(missed({})).toEqual([])
  })

  test.each<[string, Partial<Sample>]>([
    ['fetches a second at 64 connections of the bare route', { perSecond: 9_000 }],
    ['p50 at 1 connection × the hand-written route', { p50: 4.5 }],
    ['p99 at 64 connections × its p50', { p99: 26 }],
    ['fetches without a token, in all', { refused: 1 }],
    ['fetches without a token, in all', { broken: 1 }],
  ])('miss %s', (aim, vault) => {
    expect(missed(vault)).toContain(aim)
  })

  test('miss when an answer has no audit record, also while warming up', () => {
    expect(missed({}, records - 1)).toEqual(['answers without an audit record'])
  })
})

test('the report of the script is found among what wrk prints', () => {
  const output = `Running 2s test @ http://127.0.0.1:7345
  1 threads and 64 connections
Requests/sec:   5000.00

{"requests":10050,"bytes":9045000,"us":2010000,"p50":12500,"p99":30100,"max":64000,"status":2,"unexpected":0,"broken":1,"ticks":21}
`
  expect(readReport(output)).toEqual({
    requests: 10_050,
    perSecond: 5_000,
    p50: 12.5,
    p99: 30.1,
    max: 64,
    refused: 2,
    broken: 1,
    bytesPerAnswer: 900,
    cores: expect.closeTo(0.1045, 4),
  })
})

test('a wrk that ends without a report is an error', () => {
  expect(() => readReport('unable to connect to 127.0.0.1:1')).toThrow('unable to connect')
})
