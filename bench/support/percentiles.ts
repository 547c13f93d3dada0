export interface Percentiles {
  p50: number
  p95: number
  p99: number
  max: number
  count: number
}

/** By nearest rank, so that each is a value that occurred; rounded to tenths. */
export function percentiles(values: number[]): Percentiles {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (percent: number) => {
    const value = sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? Number.NaN
    return Math.round(value * 10) / 10
  }
  return { p50: at(50), p95: at(95), p99: at(99), max: at(100), count: sorted.length }
}
