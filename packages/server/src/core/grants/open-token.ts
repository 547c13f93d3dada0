import type { Place } from '../crypto/envelope.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { places } from '../crypto/places.ts'
import { AuthconnError } from '../errors.ts'
import type { Caller } from '../ports.ts'
import type { Secret } from '../secret.ts'
import type { TokenState } from '../token-port.ts'

export interface FreshToken {
  accessToken: Secret
  tokenType: string
  expiresAt: Date | null
  scope: string | null
  /** The generation of its grant. */
  version: number
  /** Only for callers with refresh_token:read. */
  refreshToken: Secret | null
}

/** A grant's token as its caller may have it. Throws sealed_value_damaged. */
export async function openToken(
  keyring: Keyring,
  by: Pick<Caller, 'permissions'>,
  grant: TokenState,
): Promise<FreshToken> {
  if (!grant.accessToken) throw new AuthconnError('internal_error', 'An active grant has no access token')
  const maySeeRefreshToken = by.permissions.includes('refresh_token:read')
  return {
    accessToken: await open(places.accessToken(grant), grant.accessToken),
    tokenType: grant.tokenType,
    expiresAt: grant.expiresAt,
    scope: grant.scope,
    version: grant.generation,
    refreshToken:
      maySeeRefreshToken && grant.refreshToken ? await open(places.refreshToken(grant), grant.refreshToken) : null,
  }

  /** Without a promise, and what it takes to make one, where the data key is in memory, as it nearly always is. */
  function open(place: Place, sealed: Uint8Array): Secret | Promise<Secret> {
    return keyring.openNow(place, sealed) ?? keyring.open(place, sealed)
  }
}
