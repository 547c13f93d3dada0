import type { ProviderVariable, VariableName } from '@authconn/shared'

export type Variables = Partial<Record<VariableName, string>>

/** A catalog's URL with its variables filled in; one that is not given stays as it is. */
export function fillUrl(template: string, values: Readonly<Record<string, string | undefined>>): string {
  return template.replace(/\{(\w+)\}/g, (braced, name: string) => values[name] ?? braced)
}

/**
 * The variables of a template that a URL names, in lower case; undefined where it is another URL. Only a template that has
 * a query looks at that of the URL.
 */
export function recognizeUrl(
  template: string,
  url: URL,
  variables: readonly ProviderVariable[],
): Variables | undefined {
  const escaped = template.replace(/[.\\+*?[^\]$()|]/g, '\\$&').replace(/\{(\w+)\}/g, (_, name: string) => {
    const pattern = variables.find((variable) => variable.name === name)?.pattern ?? '[A-Za-z0-9.-]+'
    return `(?<${name}>${pattern})`
  })
  const text = url.origin + url.pathname + (template.includes('?') ? url.search : '')
  const match = new RegExp(`^${escaped}/?$`, 'i').exec(text)
  if (!match) return undefined
  return Object.fromEntries(Object.entries(match.groups ?? {}).map(([name, value]) => [name, value.toLowerCase()]))
}
