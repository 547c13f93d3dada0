import { AuthconnError } from './authconn-error.ts'

interface Range {
  unit?: string
  from: number
  to?: number
}

/** The number of an option. Throws usage where it is not a whole one in its range. */
export function checkNumber(name: string, value: number, range: Range): number {
  const { unit, from, to = Number.MAX_SAFE_INTEGER } = range
  if (Number.isInteger(value) && value >= from && value <= to) return value
  const what = unit === undefined ? 'a whole number' : `a whole number of ${unit}`
  const within = range.to === undefined ? `${from} or more` : `from ${from} to ${to}`
  throw new AuthconnError('usage', `${name} takes ${what}, ${within}.`, {
    title: 'An option is not valid',
    hint: 'Correct it in the code, or leave it out.',
  })
}
