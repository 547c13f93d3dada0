/** What a fault can be told besides its kind. */
export interface FaultOptions {
  status?: number
  body?: string
  contentType?: string
  headers?: Record<string, string>
  error?: string
  description?: string
  delayMs?: number
  location?: string
  bytes?: number
  set?: Record<string, unknown>
  remove?: string[]
  processed?: boolean
}

type OptionName = keyof FaultOptions

interface OptionRule {
  about: string
  fits(value: unknown): boolean
}

const isRecord = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown) => typeof value === 'string'
const isHeaderText = (value: unknown) => isText(value) && /^[\x20-\x7e]*$/.test(String(value))
const isHeaderName = (name: string) => /^[\w-]+$/.test(name)
const isCount = (value: unknown) => Number.isSafeInteger(value) && Number(value) >= 0

export const optionRules: Record<OptionName, OptionRule> = {
  status: {
    about: 'HTTP status from 200 to 599',
    fits: (value) => Number.isInteger(value) && Number(value) >= 200 && Number(value) <= 599,
  },
  body: { about: 'text of the answer', fits: isText },
  contentType: { about: 'media type of the answer', fits: isHeaderText },
  headers: {
    about: 'object of header names and values, such as {"retry-after": "2"}',
    fits: (value) =>
      isRecord(value) &&
      Object.entries(value as object).every(([name, text]) => isHeaderName(name) && isHeaderText(text)),
  },
  error: { about: 'error code', fits: isText },
  description: { about: 'error_description', fits: isText },
  delayMs: { about: 'milliseconds', fits: isCount },
  location: { about: 'where to redirect to', fits: isHeaderText },
  bytes: { about: 'size of the answer', fits: isCount },
  set: { about: 'object of members to add to the answer', fits: isRecord },
  remove: {
    about: 'list of members to take out of the answer',
    fits: (value) => Array.isArray(value) && value.every(isText),
  },
  processed: {
    about: 'whether the provider does its work first, unseen: a refresh token is used up, a code is spent',
    fits: (value) => typeof value === 'boolean',
  },
}

/** What is wrong with an option, or undefined when nothing is. */
export function findOptionProblem(
  kind: string,
  allowed: readonly OptionName[],
  given: object,
): string | undefined {
  for (const [name, value] of Object.entries(given)) {
    const known = allowed.find((option) => option === name)
    if (!known) return `"${kind}" takes no "${name}"; it takes: ${allowed.join(', ') || 'no options'}`
    if (!optionRules[known].fits(value)) return `"${name}" must be: ${optionRules[known].about}`
  }
  return undefined
}
