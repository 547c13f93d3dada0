import { type OperationName, routes } from '@authconn/shared'

/** Where to ask for an operation. */
export function urlOf(
  name: OperationName,
  params: Record<string, unknown>,
  query: Record<string, unknown>,
): string {
  const [, path] = routes[name]
  const filled = path.replaceAll(/\{(\w+)\}/g, (_all, key: string) => encodeURIComponent(String(params[key])))
  const search = new URLSearchParams(
    Object.entries(query).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]])),
  )
  return search.size > 0 ? `${filled}?${search}` : filled
}
