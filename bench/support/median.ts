/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2
}

/** Rounded to so many digits that count, for figures between fractions of a millisecond and thousands a second. */
export function significant(value: number, digits = 3): number {
  return Number(value.toPrecision(digits))
}
