import type { VariableName } from '@authconn/shared'
import { AuthconnError } from '../../core/errors.ts'
import type { ProviderInput, ResolvedProvider } from '../../core/oauth-port.ts'
import { tenantIssuer } from './issuer.ts'
import { type CatalogEntry, findCatalogEntry, recognizeProvider } from './providers.ts'
import { endpointNames } from './read-metadata.ts'
import { fillUrl, type Variables } from './url-template.ts'
import { usualMethod } from './usual-method.ts'

/** The entry that the input names by its id or its URL, with the variables that go with it; undefined where it is unknown. */
export function findKnownProvider(
  input: ProviderInput,
  providerUrl: URL | undefined,
): { entry: CatalogEntry; variables: Variables } | undefined {
  const recognized = providerUrl ? recognizeProvider(providerUrl) : named(input.provider)
  if (!recognized) return undefined
  const variables = { ...recognized.variables }
  for (const [name, value] of Object.entries(input.variables ?? {}) as [VariableName, string][]) {
    const variable = recognized.entry.variables?.find((known) => known.name === name)
    if (!variable) throw invalid(`${recognized.entry.name} has no ${name}`)
    const given = value.toLowerCase()
    if (!new RegExp(`^(?:${variable.pattern})$`).test(given)) {
      throw invalid(`"${value}" is no ${name} of ${recognized.entry.name}, which is like ${variable.example}`)
    }
    if (variables[name] !== undefined && variables[name] !== given) {
      throw invalid(`The provider URL names another ${name} than "${value}"`)
    }
    variables[name] = given
  }
  return { entry: recognized.entry, variables }
}

function named(id: string | undefined): { entry: CatalogEntry; variables: Variables } | undefined {
  if (id === undefined) return undefined
  const entry = findCatalogEntry(id)
  if (!entry) throw invalid(`There is no provider "${id}" in the catalog; authconn providers lists them`)
  return { entry, variables: {} }
}

/** The provider as the catalog has it. Throws issuer_mismatch, and invalid_request where a variable is missing. */
export function fromCatalog(
  entry: CatalogEntry,
  named: Variables,
  input: ProviderInput,
): ResolvedProvider & { providerUrl: string } {
  const tenant = named.tenant ?? tenantOf(entry, input.issuerUrl)
  const variables = complete(entry, tenant === undefined ? named : { ...named, tenant })
  const values = { ...variables, client_id: encodeURIComponent(input.clientId) }
  const endpoints: ResolvedProvider['endpoints'] = { ...entry.endpoints }
  for (const name of endpointNames) {
    const url = input.endpoints[name] ?? endpoints[name]
    if (url !== undefined) endpoints[name] = fillUrl(url, input.endpoints[name] === undefined ? values : {})
  }
  return {
    provider: entry.id,
    providerUrl: input.providerUrl ?? fillUrl(entry.provider_url, variables),
    issuer: catalogIssuer(entry, variables, input.issuerUrl),
    endpoints,
    tokenEndpointAuthMethod:
      input.tokenEndpointAuthMethod ?? usualMethod(input.authMethods, entry.token_endpoint_auth_method),
    // Checked wherever it comes; none of them promises it in every answer.
    issParameterSupported: false,
    authorizationParameters: { ...entry.authorization_parameters },
  }
}

function complete(entry: CatalogEntry, given: Variables): Variables {
  const variables = { ...given }
  for (const { name, description, example, default: usual } of entry.variables ?? []) {
    const value = variables[name] ?? usual
    if (value === undefined) {
      throw invalid(`${entry.name} needs its ${name}: ${description}, such as ${example}`)
    }
    variables[name] = value
  }
  return variables
}

/** An issuer URL may pin the tenant where the provider URL leaves it open; otherwise it must be the very issuer. */
function catalogIssuer(entry: CatalogEntry, variables: Variables, given: string | undefined): string | null {
  if (entry.issuer_url === null) {
    if (given === undefined) return null
    throw new AuthconnError('issuer_mismatch', `${entry.name} names no issuer, and so not ${given}`)
  }
  const { tenant } = variables
  const template = fillUrl(entry.issuer_url, variables)
  const issuer = tenantIssuer(template, tenant, entry.tenant_ids)
  if (given === undefined || given === issuer) return issuer
  const pinned = tenantOf(entry, given)
  if (pinned !== undefined && template.replace('{tenantid}', pinned) === given.toLowerCase()) {
    if (pinned === tenant) return issuer
    if (issuer === template) return tenantIssuer(template, pinned, entry.tenant_ids)
  }
  throw new AuthconnError('issuer_mismatch', `${entry.name} names itself ${issuer}, not ${given}`)
}

function tenantOf(entry: CatalogEntry, issuerUrl: string | undefined): string | undefined {
  if (issuerUrl === undefined) return undefined
  const recognized = recognizeProvider(new URL(issuerUrl))
  return recognized?.entry === entry ? recognized.variables.tenant : undefined
}

function invalid(detail: string): AuthconnError {
  return new AuthconnError('invalid_request', detail)
}
