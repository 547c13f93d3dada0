import { expect, test } from 'vitest'
import { percentiles } from '../../bench/support/percentiles.ts'

test('percentiles are values that occurred, in whatever order they came', () => {
  const values = Array.from({ length: 200 }, (_, n) => 200 - n)
  expect(percentiles(values)).toEqual({ p50: 100, p95: 190, p99: 198, max: 200, count: 200 })
  expect(percentiles([1.26])).toEqual({ p50: 1.3, p95: 1.3, p99: 1.3, max: 1.3, count: 1 })
})
