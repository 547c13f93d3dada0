import type { Connection } from '@authconn/sdk'
import type { Grant, GrantStatus } from '@authconn/shared'
import { endpointLines } from './endpoint-lines.ts'
import { details } from './table.ts'
import { timeLeft, timeUntil } from './time.ts'
import type { View } from './view.ts'

type GrantState = Omit<Grant, 'subject'>

/** Everything the vault tells of a connection. */
export function describeConnection(connection: Connection, view: View): string {
  return details(
    [
      ...describeGrant(connection, view),
      ['provider', connection.provider],
      ['provider url', connection.provider_url],
      ['issuer', connection.issuer_url],
      ['client id', connection.client_id],
      ['grant type', connection.grant_type],
      ...tokenRequestLines(connection),
      ['client authentication', connection.token_endpoint_auth_method],
      ['client key', clientKey(connection, view)],
      ['former client secret', formerSecret(connection, view)],
      ...endpointLines(connection.endpoints),
      [
        'revocations to do',
        connection.pending_revocations > 0
          ? `${connection.pending_revocations}, not yet done by the provider; the vault goes on trying`
          : null,
      ],
      ['created', connection.created_at],
      ['updated', connection.updated_at],
    ],
    view,
  )
}

/** What the vault asks for by itself, where it does. */
function tokenRequestLines({ token_request: request }: Connection): [label: string, value: string | null][] {
  if (!request) return []
  const { scopes, audience, resource, assertion } = request
  return [
    ['scopes asked for', scopes.join(' ') || 'none'],
    ['audience', audience],
    ['resource', resource.join(' ') || null],
    ['assertion issuer', assertion?.issuer ?? null],
    ['assertion subject', assertion && (assertion.subject ?? 'none')],
    ['assertion audience', assertion?.audience ?? null],
  ]
}

export function describeGrant(grant: GrantState, view: View): [label: string, value: string | null][] {
  const { last_error: error, refresh_token_expires_at: refreshTokenEnd } = grant
  const authorized = grant.status === 'active' || grant.status === 'expired'
  const renewed = grant.refreshable ? 'yes' : 'no: the provider gave no refresh token'
  return [
    ['status', grant.status],
    ['account', accountOf(grant)],
    ...Object.entries(grant.metadata).map(([name, value]): [string, string] => [name.replaceAll('_', ' '), value]),
    ['scope', grant.scope],
    ['access token ends', authorized ? accessTokenEnd(grant, view) : null],
    ['refreshed by the vault', authorized ? renewed : null],
    ['last refreshed', grant.last_refreshed_at],
    ['next refresh', grant.status === 'active' && grant.refreshable ? nextRefresh(grant, view) : null],
    [
      'refresh token ends',
      refreshTokenEnd && `${refreshTokenEnd} (${timeLeft(refreshTokenEnd, view.now)}, unless it is used)`,
    ],
    ['failures in a row', grant.failures > 0 ? String(grant.failures) : null],
    ['last error', error && `${error.code} (${error.class}): ${error.detail} (${error.at})`],
  ]
}

function accessTokenEnd(grant: GrantState, view: View): string {
  if (grant.expires_at === null) return 'no end'
  const assumed = grant.expires_at_assumed ? ', assumed: the provider does not say' : ''
  return `${grant.expires_at} (${expiryOf(grant, view)}${assumed})`
}

function nextRefresh({ next_refresh_at: at, last_error: error }: GrantState, view: View): string {
  if (at !== null) return `${at} (${timeUntil(at, view.now)})`
  // Asking again with what was refused would change nothing, and may have the client locked out.
  if (error?.class === 'configuration') return 'none until the connection is updated or a refresh is forced'
  return 'none planned'
}

/** Which key it is, so that a person can tell it in the provider's console; and when its certificate ends. */
function clientKey({ client_key: key }: Connection, view: View): string | null {
  if (!key) return null
  const id = key.key_id === null ? '' : `, key id ${key.key_id}`
  const end = key.certificate_expires_at
  const ends = end === null ? '' : `; its certificate ends ${end} (${timeLeft(end, view.now)})`
  return `${key.algorithm}${id}, thumbprint ${key.thumbprint}${ends}`
}

function formerSecret({ former_client_secret_until: until }: Connection, view: View): string | null {
  return until && `used where the new one is refused, until ${until} (${timeLeft(until, view.now)})`
}

/** Whose tokens they are, in as few words as tell it. */
export function accountOf({ account }: GrantState): string | null {
  if (!account) return null
  const who = account.email ?? account.login ?? account.name ?? account.id
  const { company } = account
  return who !== null && company !== null ? `${who} (${company})` : (who ?? company)
}

/** How long the access token is valid yet. */
export function expiryOf({ status, expires_at }: GrantState, view: View): string {
  if (status === 'pending' || status === 'revoked') return '-'
  return expires_at === null ? 'no end' : timeLeft(expires_at, view.now)
}

/** The provider's name in the catalog, or else its host. */
export function providerOf({ provider, provider_url }: Connection): string {
  return provider ?? (URL.canParse(provider_url) ? new URL(provider_url).host : provider_url)
}

export function paintStatus({ paint }: View): (status: string) => string {
  const paints: Readonly<Record<GrantStatus, (words: string) => string>> = {
    active: paint.green,
    pending: paint.yellow,
    expired: paint.red,
    revoked: paint.red,
  }
  return (status) => (isStatus(status, paints) ? paints[status](status) : status)
}

function isStatus<T extends string>(status: string, known: Readonly<Record<T, unknown>>): status is T {
  return Object.hasOwn(known, status)
}
