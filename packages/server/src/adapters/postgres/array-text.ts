/**
 * Values as the text of a PostgreSQL array. The driver makes the same of an array, for any depth and type, and takes
 * several times as long: of what every fetch looks up and appends, that is the larger part.
 */
export function arrayText(values: readonly (string | number | null)[]): string {
  const json = JSON.stringify(values)
  // JSON and PostgreSQL quote alike; what is escaped, each in its own way, is rare.
  return json.includes('\\') ? escapedArrayText(values) : `{${json.slice(1, -1)}}`
}

/** The same of bytes, which are given in hex. */
export function bytesArrayText(values: readonly string[]): string {
  return values.length === 0 ? '{}' : `{"\\\\x${values.join('","\\\\x')}"}`
}

function escapedArrayText(values: readonly (string | number | null)[]): string {
  const elements = values.map((value) =>
    value === null ? 'NULL' : `"${String(value).replaceAll(/["\\]/g, '\\$&')}"`,
  )
  return `{${elements.join(',')}}`
}
