export type AnswerFields = ReadonlyMap<string, unknown>

/**
 * The top-level fields of a token answer, or in a few words why there are none. RFC 6749 section 5.1 has JSON;
 * older servers answer form-encoded. Nothing of the text gets into the words.
 */
export function parseAnswerFields(text: string, contentType: string | null): AnswerFields | string {
  const body = text.replace(/^\uFEFF/, '').trim()
  if (body === '') return 'an empty body'
  if (body.startsWith('{')) return parseJson(body)
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (formTypes.includes(type) && /^[\w.-]+=/.test(body)) return parseForm(body)
  return /^[a-z0-9.+/-]{1,60}$/.test(type) ? `something that is not JSON (${type})` : 'something that is not JSON'
}

const formTypes = ['application/x-www-form-urlencoded', 'text/plain', '']

function parseJson(body: string): AnswerFields | string {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    // The parser's message would quote the body.
    return 'malformed JSON'
  }
  if (typeof value !== 'object' || value === null) return 'something that is not a JSON object'
  // RFC 6749 section 3.2: parameters must not be repeated. JSON.parse would quietly take the last one.
  return hasDuplicateKeys(body) ? 'JSON that repeats a field' : new Map(Object.entries(value))
}

/** Whether a valid JSON object repeats a key at its top level. */
function hasDuplicateKeys(json: string): boolean {
  const keys = new Set<unknown>()
  let depth = 0
  let last: string | undefined
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:]/g)) {
    if (token === '{' || token === '[') depth++
    else if (token === '}' || token === ']') depth--
    else if (token === ':' && depth === 1 && last !== undefined) {
      const key: unknown = JSON.parse(last)
      if (keys.has(key)) return true
      keys.add(key)
    } else if (token !== ':') last = token
  }
  return false
}

function parseForm(body: string): AnswerFields | string {
  const fields = new Map<string, unknown>()
  for (const [name, value] of new URLSearchParams(body)) {
    if (fields.has(name)) return 'a form that repeats a field'
    fields.set(name, value)
  }
  return fields
}
