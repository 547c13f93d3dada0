export type AnswerFields = ReadonlyMap<string, unknown>

/**
 * What to do with a field that is repeated, which RFC 6749 section 3.2 forbids.
 * refuse: the answer is none, since two readers could take two values from it.
 * take last: only a token that comes with several values makes the answer none.
 */
export type RepeatedFields = 'refuse' | 'take last'

/**
 * The top-level fields of a token answer, or in a few words why there are none. RFC 6749 section 5.1 has JSON;
 * older servers answer form-encoded. Nothing of the text gets into the words.
 */
export function parseAnswerFields(
  text: string,
  contentType: string | null,
  repeated: RepeatedFields = 'refuse',
): AnswerFields | string {
  const body = text.replace(/^\uFEFF/, '').trim()
  if (body === '') return 'an empty body'
  if (body.startsWith('{')) return parseJson(body, repeated)
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (formTypes.includes(type) && /^[\w.-]+=/.test(body)) {
    return collect([...new URLSearchParams(body)], repeated) ?? 'a form that repeats a field'
  }
  return /^[a-z0-9.+/-]{1,60}$/.test(type) ? `something that is not JSON (${type})` : 'something that is not JSON'
}

const formTypes = ['application/x-www-form-urlencoded', 'text/plain', '']

function parseJson(body: string, repeated: RepeatedFields): AnswerFields | string {
  try {
    JSON.parse(body)
  } catch {
    // The parser's message would quote the body.
    return 'malformed JSON'
  }
  return collect(topLevelEntries(body), repeated) ?? 'JSON that repeats a field'
}

type Entries = readonly (readonly [name: string, value: unknown])[]

/** Undefined when a field is repeated that must not be. */
function collect(entries: Entries, repeated: RepeatedFields): AnswerFields | undefined {
  const fields = new Map<string, unknown>()
  for (const [name, value] of entries) {
    const isToken = name === 'access_token' || name === 'refresh_token'
    const isAmbiguous = repeated === 'refuse' || (isToken && fields.get(name) !== value)
    if (fields.has(name) && isAmbiguous) return undefined
    fields.set(name, value)
  }
  return fields
}

/** The entries of a valid JSON object, repeated ones included: JSON.parse would quietly take the last of them. */
function topLevelEntries(json: string): Entries {
  const entries: [string, unknown][] = []
  let depth = 0
  let last = ''
  let open: { name: string; from: number } | undefined
  const close = (to: number) => {
    if (open) entries.push([open.name, JSON.parse(json.slice(open.from, to))])
    open = undefined
  }
  for (const { 0: token, index } of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:,]/g)) {
    if (depth === 1 && (token === ',' || token === '}')) close(index)
    if (depth === 1 && token === ':') open = { name: JSON.parse(last), from: index + 1 }
    if (token === '{' || token === '[') depth++
    else if (token === '}' || token === ']') depth--
    else if (token.startsWith('"')) last = token
  }
  return entries
}
