import { AuthconnError } from '@authconn/sdk'
import { duration as inWords } from './output/time.ts'

/** A flag of a command. In `Flags` its key is the camel-cased name: `clientId` is `--client-id`. */
export interface Flag<T> {
  /** How its value is called in help; a flag without is a switch. */
  value?: string
  help: string
  /** What it is when not given. */
  fallback?: T
  /** All that it takes, where that is a few words. */
  choices?: readonly string[]
  /** A switch that turns something off: `browser` is `--no-browser`, and true when not given. */
  negated?: true
  /** Throws usage. `before`: what it is already, when the flag was given before. */
  parse?(given: string, flag: string, before: T | undefined): T
}

export type Flags = Readonly<Record<string, Flag<unknown>>>

export type FlagValues<F extends Flags> = { [K in keyof F]: F[K] extends Flag<infer T> ? T : never }

export const text = (value: string, help: string): Flag<string | undefined> => ({ value, help })

export const toggle = (help: string): Flag<boolean | undefined> => ({ help })

export const negated = (help: string): Flag<boolean> => ({ help, negated: true })

export const oneOf = <const T extends string>(
  values: readonly T[],
  help: string,
  fallback?: T,
): Flag<T | undefined> => ({
  value: 'VALUE',
  help: `${help} (${values.join(', ')})`,
  choices: values,
  ...(fallback === undefined ? {} : { fallback }),
  parse(given, flag) {
    const found = values.find((value) => value === given)
    if (found === undefined) throw new AuthconnError('usage', `${flag} is one of ${values.join(', ')}.`)
    return found
  },
})

export const integer = (
  value: string,
  help: string,
  range: { from: number; to: number; fallback: number },
): Flag<number> => ({
  value,
  help: withRange(help, range),
  fallback: range.fallback,
  parse: wholeNumber(range),
})

/** The same without a fallback, so that it shows whether it was given. */
export const optionalInteger = (
  value: string,
  help: string,
  range: { from: number; to: number },
): Flag<number | undefined> => ({ value, help: withRange(help, range), parse: wholeNumber(range) })

const withRange = (help: string, { from, to }: { from: number; to: number }) => `${help} (${from} to ${to})`

const wholeNumber =
  ({ from, to }: { from: number; to: number }) =>
  (given: string, flag: string): number => {
    const number = /^\d{1,9}$/.test(given) ? Number(given) : Number.NaN
    if (number >= from && number <= to) return number
    throw new AuthconnError('usage', `${flag} takes a whole number from ${from} to ${to}.`)
  }

/** A length of time in seconds, given as such or with its unit: `90`, `90s`, `10m`, `1h`, `2d`. */
export const duration = (help: string, range: { from: number; to: number }): Flag<number | undefined> => ({
  value: 'TIME',
  help: `${help} (such as 90s, 10m or 1h; ${inWords(range.from)} to ${inWords(range.to)})`,
  parse(given, flag) {
    const [, number, unit = 's'] = /^(\d{1,9})([smhd])?$/.exec(given) ?? []
    const seconds = Number(number) * (secondsIn[unit] ?? Number.NaN)
    if (seconds >= range.from && seconds <= range.to) return seconds
    throw new AuthconnError(
      'usage',
      `${flag} takes a time from ${inWords(range.from)} to ${inWords(range.to)}, such as 90s, 10m, 1h or 2d.`,
    )
  },
})

const secondsIn: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** Words in one value; there may be none of them. */
export const words = (value: string, help: string): Flag<string[] | undefined> => ({
  value,
  help,
  parse: splitWords,
})

function splitWords(given: string): string[] {
  return [...new Set(given.split(/[\s,]+/).filter((word) => word !== ''))]
}

/** Several values without spaces or commas: in one word, or with the flag given several times. */
export const list = (value: string, help: string): Flag<string[] | undefined> => ({
  value,
  help: `${help}; separated by commas, or the flag several times`,
  parse(given, flag, before = []) {
    const found = splitWords(given)
    if (found.length === 0) throw new AuthconnError('usage', `${flag} was given without a value.`)
    return [...new Set([...before, ...found])]
  },
})

/** Several values with whatever is in them, each with its flag. */
export const several = (value: string, help: string): Flag<string[] | undefined> => ({
  value,
  help: `${help}; the flag several times for several`,
  parse: (given, _flag, before = []) => [...new Set([...before, given])],
})

/**
 * A moment in ISO 8601: a date (which begins at midnight UTC), a date with time and zone, or a time from now, such as
 * `90d`: ahead for what is to come, back for what has been.
 */
export const moment = (help: string, direction: 'ahead' | 'back'): Flag<string | undefined> => ({
  value: 'MOMENT',
  help: `${help}: ${direction === 'ahead' ? '90d or 12h from now' : '2h or 7d before now'}, or a date such as 2027-01-31`,
  parse(given, flag) {
    const found = fromNow(given, direction) ?? atDate(given)
    if (found) return found.toISOString()
    throw new AuthconnError(
      'usage',
      `${flag} takes a time such as 30m, 12h or 90d, or a date such as 2027-01-31 or 2027-01-31T12:00:00Z.`,
    )
  },
})

function fromNow(given: string, direction: 'ahead' | 'back'): Date | undefined {
  const [, number, unit = ''] = /^(\d{1,5})([smhd])$/.exec(given) ?? []
  if (number === undefined) return undefined
  const milliseconds = Number(number) * (secondsIn[unit] ?? 0) * 1000
  return new Date(direction === 'ahead' ? Date.now() + milliseconds : Date.now() - milliseconds)
}

function atDate(given: string): Date | undefined {
  const shape = /^(\d{4}-\d{2}-\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/
  const [, day] = shape.exec(given) ?? []
  // The platform takes the 31st of February for a day in March.
  if (day === undefined || !isDay(day)) return undefined
  const date = new Date(given)
  return Number.isNaN(date.getTime()) ? undefined : date
}

function isDay(day: string): boolean {
  const date = new Date(`${day}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day)
}

/** `clientId` → `client-id` */
export function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
