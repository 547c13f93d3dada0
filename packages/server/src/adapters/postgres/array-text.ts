/**
 * Values as the text of a PostgreSQL array. The driver makes the same of an array, for any depth and type, and takes
 * several times as long: of what every fetch looks up and appends, that is the larger part.
 */
export function arrayText(values: readonly (string | Uint8Array | null)[]): string {
  let text = ''
  for (const value of values) text += `,${elementText(value)}`
  return `{${text.slice(1)}}`
}

function elementText(value: string | Uint8Array | null): string {
  if (value === null) return 'NULL'
  if (typeof value !== 'string') {
    const { buffer, byteOffset, byteLength } = value
    return `"\\\\x${Buffer.from(buffer, byteOffset, byteLength).toString('hex')}"`
  }
  return `"${special.test(value) ? value.replaceAll(/["\\]/g, '\\$&') : value}"`
}

/** What ends an element between quotes, or escapes what follows. */
const special = /["\\]/
