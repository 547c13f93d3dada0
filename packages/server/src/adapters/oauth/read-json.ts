import { parseAnswerFields } from './answer-fields.ts'

/**
 * The object in an answer that must be JSON (RFC 8414 section 3.2, RFC 7517 section 8.5), or in a few words what is there
 * instead. Strict, since nothing is lost by refusing: two readers must not take two things from it. Nothing of the text
 * gets into the words.
 */
export async function readJsonObject(response: Response): Promise<Record<string, unknown> | string> {
  const type = response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (!/^application\/([a-z0-9.-]+\+)?json$/.test(type)) {
    return /^[a-z0-9.+/-]{1,60}$/.test(type) ? `something that is not JSON (${type})` : 'no media type of JSON'
  }
  const text = decode(await response.arrayBuffer())
  if (text === undefined) return 'text that is not UTF-8'
  if (isDeep(text)) return 'JSON that is nested too deep'
  const fields = parseAnswerFields(text, type)
  return typeof fields === 'string' ? fields : Object.fromEntries(fields)
}

function decode(bytes: ArrayBuffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

const deepest = 32

/** Whoever writes it again, as the library does with keys, would do so by recursion. */
function isDeep(json: string): boolean {
  let depth = 0
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]]/g)) {
    if (token === '{' || token === '[') depth++
    else if (token === '}' || token === ']') depth--
    if (depth > deepest) return true
  }
  return false
}
