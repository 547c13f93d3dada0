import { expect, test } from 'vitest'
import { judgeAims, tabulate } from '../../bench/scale/judge.ts'
import type { Sample } from '../../bench/scale/measure.ts'
import { sizeOf } from '../../bench/scale/sized-vaults.ts'

function sample(grants: number, round: number, p50: number): Sample {
  return {
    grants,
    auditRows: 10_000,
    vaults: 1,
    round,
    requests: 1000,
    perSecond: 5000,
    p50,
    p99: 4 * p50,
    max: 10 * p50,
    refused: 0,
    broken: 0,
    bytesPerAnswer: 900,
    cores: 0.1,
    processors: { vaults: 0.5, postgres: 0.25, machine: 1 },
  }
}

/** The machine is half as fast in the second round; the warming up is slower still. */
function samples(times: number): Sample[] {
  return [20, 2, 4, 2].flatMap((p50, round) => [sample(1_000, round, p50), sample(100_000, round, p50 * times)])
}

test('many grants are compared with few by the rounds in which both were measured', () => {
  expect(tabulate(samples(1.2)).map(({ grants, p50, timesSmallest }) => [grants, p50, timesSmallest])).toEqual([
    [1_000, 2, 1],
    [100_000, 2.4, 1.2],
  ])
})

test.each([
  [1.2, true],
  [1.3, false],
])('p50 that is %d times as long with many grants: %s', (times, pass) => {
  const [aim] = judgeAims(samples(times))
  expect(aim).toMatchObject({ what: 'p50 at 16 connections with 100000 grants', measured: times, pass })
})

test.each([1_000, 100_000, 1_000_000])(
  '%d grants are as many with one crowded connection among them',
  (grants) => {
    const { connections, subjects, crowd } = sizeOf(grants, 0)
    expect(crowd + (connections - 1) * subjects).toBe(grants)
  },
)
