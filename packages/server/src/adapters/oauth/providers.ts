import type { Connection, Provider } from '@authconn/shared'
import table from './providers.json' with { type: 'json' }
import { recognizeUrl, type Variables } from './url-template.ts'

/** What is declared of a provider; see docs/providers.md. */
export type CatalogEntry = Provider

// Its test holds the table to the schema, which is more than its inferred type could.
const catalog = table as unknown as readonly CatalogEntry[]

/** The catalog as the API lists it. */
export function listProviders(): readonly Provider[] {
  return catalog
}

/** The entry of that id; null is for providers that are not from the catalog. */
export function findCatalogEntry(id: string | null): CatalogEntry | undefined {
  return catalog.find((entry) => entry.id === id)
}

/** The entry that a provider URL means, by its origin and path, and the variables that it names. */
export function recognizeProvider(url: URL): { entry: CatalogEntry; variables: Variables } | undefined {
  for (const entry of catalog) {
    for (const template of [entry.provider_url, ...(entry.other_urls ?? [])]) {
      const variables = recognizeUrl(template, url, entry.variables ?? [])
      if (variables) return { entry, variables }
    }
  }
  return undefined
}

/** Where an application is registered at a provider of the catalog. */
export function registrationAt(provider: string | null): Connection['registration'] {
  const registration = findCatalogEntry(provider)?.registration
  return registration ? { note: null, ...registration } : null
}
