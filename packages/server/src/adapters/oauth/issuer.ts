import { ProviderFailure, type ResolvedProvider } from '../../core/oauth-port.ts'
import { findCatalogEntry } from './providers.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

const variable = '{tenantid}'

type WithIssuer = Pick<ResolvedProvider, 'provider' | 'issuer'>

/** A tenant's issuer: `{tenantid}` filled in where the tenant names one id, left standing where it can be any. */
export function tenantIssuer(
  template: string,
  tenant: string | undefined,
  ids: Readonly<Record<string, string>> = {},
) {
  const id = tenant && (uuid.test(tenant) ? tenant : ids[tenant])
  return id ? template.replace(variable, id) : template
}

/**
 * The issuer that an ID token with these claims must name, for an exact comparison; undefined where the connection
 * knows of none. A multi-tenant issuer depends on the account: then `tid` says which tenant it is. Throws
 * ProviderFailure `id_token` when it does not.
 */
export function expectedIssuer(client: WithIssuer, claims: { iss?: unknown; tid?: unknown }): string | undefined {
  const { issuer, provider } = client
  if (issuer === null) return undefined
  if (isOpenIssuer(client)) {
    if (typeof claims.tid === 'string' && uuid.test(claims.tid)) return issuer.replace(variable, claims.tid)
    throw new ProviderFailure('id_token', 'The ID token does not name the tenant of the account (tid)')
  }
  const entry = findCatalogEntry(provider)
  const alias =
    entry?.issuer_url === issuer ? entry.issuer_aliases?.find((name) => name === claims.iss) : undefined
  return alias ?? issuer
}

/** Whether `iss` of an authorization response names the connection's issuer (RFC 9207 section 2.4). */
export function isExpectedIssuer(client: WithIssuer, iss: string): boolean {
  if (client.issuer === null) return false
  if (!isOpenIssuer(client)) return iss === client.issuer
  const [before = '', after = ''] = client.issuer.split(variable)
  return (
    iss.startsWith(before) && iss.endsWith(after) && uuid.test(iss.slice(before.length, iss.length - after.length))
  )
}

/** Only the catalog may leave the tenant open; elsewhere the braces would be characters like any other. */
export function isOpenIssuer({ provider, issuer }: WithIssuer): boolean {
  return issuer?.includes(variable) === true && findCatalogEntry(provider)?.issuer_url === issuer
}
