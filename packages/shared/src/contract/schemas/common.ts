import Type from 'typebox'

/** A value or null, as the JSON Schema type list that serializers take without trying alternatives. */
export const nullableString = (options: Record<string, unknown> = {}) =>
  Type.Unsafe<string | null>({ type: ['string', 'null'], ...options })

export const closed = { additionalProperties: false }
export const timestamp = Type.String({ format: 'date-time', description: 'ISO 8601, UTC' })
export const nullableTimestamp = nullableString({ format: 'date-time', description: 'ISO 8601, UTC, or null' })
/*
 * Text that others write is free of control characters, which a database or a terminal may not take as they are, and
 * of lone surrogates, which have no UTF-8. A URL is free of white space too: a parser would trim it, and what is
 * stored would not be what was checked.
 */
export const textPattern = '^[^\\p{Cc}\\p{Cs}]+$'
const urlPattern = '^[^\\p{Cc}\\p{Cf}\\p{Cs}\\p{Z}]+$'
export const urlText = (description: string) =>
  Type.String({
    minLength: 1,
    maxLength: 2048,
    pattern: urlPattern,
    description: `${description}, without white space or control characters`,
  })
export const url = Type.String({
  format: 'uri',
  maxLength: 2048,
  pattern: urlPattern,
  description: 'An absolute URL, without white space or control characters',
})
export const stringEnum = <const T extends string>(values: readonly T[], description?: string) =>
  Type.Unsafe<T>({ type: 'string', enum: [...values], ...(description ? { description } : {}) })

export const ConnectionName = Type.String({
  pattern: '^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$',
  description: 'Lowercase letters, digits and hyphens, 1 to 63, not starting or ending with a hyphen',
})

/** `format` alone would let `urn:uuid:…` pass, which a database does not take. */
export const Id = Type.String({
  format: 'uuid',
  pattern: '^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$',
  description: 'A UUID',
})

const cursor = { maxLength: 255, description: '`next` of the page before' }
export const Cursor = Type.String({ ...cursor, minLength: 1, pattern: textPattern })
/** Empty after a page that ended with the application grant, whose subject is empty. */
export const GrantCursor = Type.String({ ...cursor, pattern: '^[^\\p{Cc}\\p{Cs}]*$' })

/** The pattern asks for a character, too: what is said of it names both rules. */
export const Subject = Type.String({
  maxLength: 255,
  pattern: textPattern,
  description:
    '1 to 255 characters without control characters: whose account the tokens act for; left out for the application itself',
})
