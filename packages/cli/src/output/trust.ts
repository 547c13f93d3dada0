import type { Trust } from '@authconn/shared'
import { addressesOf, subjectsOf } from './caller.ts'
import { details } from './table.ts'
import { duration, timeLeft } from './time.ts'
import type { View } from './view.ts'

/** Everything the vault tells of a trust. */
export function describeTrust(trust: Trust, view: View): string {
  const { expires_at: end, login } = trust
  return details(
    [
      ['id', trust.id],
      ['preset', trust.preset ?? 'none'],
      ['issuer', trust.issuer],
      ['audience', trust.audience.join(' or ')],
      ...trust.claims.map(({ claim, values }, at) => [at === 0 ? 'claims' : '', inWords(claim, values)] as const),
      ['keys', keysOf(trust)],
      ['algorithms', trust.algorithms.join(', ')],
      [
        'tokens',
        `${duration(trust.max_age)} old at most, ${trust.single_use ? 'each once' : 'also several times'}`,
      ],
      ['gives', `a key for ${duration(trust.key_lifetime)}`],
      ['may', trust.permissions.join(', ')],
      ['connections', trust.connections.join(', ')],
      ['subjects', subjectsOf(trust)],
      ['addresses', addressesOf(trust)],
      ['login', login && `client ${login.client_id}, scopes ${login.scopes.join(', ')}, to ${login.vault_url}`],
      ['expires', end === null ? 'never' : `${end} (${timeLeft(end, view.now)})`],
      ['last used', trust.last_used_at],
      ['revoked', trust.revoked_at],
    ],
    view,
  )
}

export function claimsOf({ claims }: Trust): string {
  return claims.map(({ claim, values }) => inWords(claim, values)).join(', ')
}

function inWords(claim: string, values: readonly string[]): string {
  return `${claim} = ${values.join(' or ')}`
}

function keysOf({ jwks_uri: uri, jwks }: Trust): string {
  if (jwks !== null) return `${jwks.keys.length}, given with the trust`
  return uri ?? 'where the metadata of the issuer says'
}
