import { AuthconnError } from '@authconn/sdk'
import { duration as inWords } from './output/time.ts'

/** A flag of a command. In `Flags` its key is the camel-cased name: `clientId` is `--client-id`. */
export interface Flag<T> {
  /** How its value is called in help; a flag without is a switch. */
  value?: string
  help: string
  /** What it is when not given. */
  fallback?: T
  /** A switch that turns something off: `browser` is `--no-browser`, and true when not given. */
  negated?: true
  /** Throws usage. */
  parse?(given: string, flag: string): T
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
  help,
  fallback: range.fallback,
  parse(given, flag) {
    const number = /^\d{1,9}$/.test(given) ? Number(given) : Number.NaN
    if (number >= range.from && number <= range.to) return number
    throw new AuthconnError('usage', `${flag} takes a whole number from ${range.from} to ${range.to}.`)
  },
})

/** A length of time in seconds, given as such or with its unit: `90`, `90s`, `10m`, `1h`, `2d`. */
export const duration = (help: string, range: { from: number; to: number }): Flag<number | undefined> => ({
  value: 'TIME',
  help,
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

export const words = (value: string, help: string, fallback: string): Flag<string[]> => ({
  value,
  help,
  fallback: splitWords(fallback),
  parse: splitWords,
})

function splitWords(given: string): string[] {
  return [...new Set(given.split(/[\s,]+/).filter((word) => word !== ''))]
}

/** `clientId` → `client-id` */
export function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
