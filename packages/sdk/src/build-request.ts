import { type OperationName, routes } from '@authconn/shared/routes'
import { AuthconnError } from './authconn-error.ts'
import type { AnyInput } from './operation-input.ts'

export interface BuiltRequest {
  method: string
  url: URL
  headers: Record<string, string>
  body: string | null
}

/** Throws invalid_request where a part of the path would change which endpoint is asked. */
export function buildRequest(
  base: URL,
  operation: OperationName,
  input: AnyInput,
  apiKey: string | undefined,
): BuiltRequest {
  const [method, template] = routes[operation]
  const params = fields(input.params)
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => segment(name, params[name]))
  const url = new URL(path.slice(1), base)
  for (const [name, value] of Object.entries(fields(input.query))) {
    if (value !== undefined) url.searchParams.set(name, String(value))
  }
  const headers: Record<string, string> = {
    accept: 'application/json',
    ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
  }
  if (input.body === undefined) return { method, url, headers, body: null }
  return {
    method,
    url,
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(input.body),
  }
}

function fields(part: unknown): Record<string, unknown> {
  return typeof part === 'object' ? { ...part } : {}
}

/** `.` and `..` would be resolved away even when percent-encoded (WHATWG URL), and '' would vanish. */
function segment(name: string, value: unknown): string {
  if (typeof value !== 'string' || value === '' || value === '.' || value === '..') {
    throw new AuthconnError('invalid_request', `${JSON.stringify(value ?? '')} cannot be a ${name}.`)
  }
  return encodeURIComponent(value)
}
