import type { Keyring } from '../crypto/keyring.ts'
import { places } from '../crypto/places.ts'
import type { SealedTokens } from '../grant-port.ts'
import type { TokenSet } from '../oauth-port.ts'
import { scheduleRefresh } from './schedule-refresh.ts'

/**
 * A provider's tokens sealed for the row of their grant, with when it is due again. `askedAt`: performance.now() when the
 * provider was asked. `refreshable`: whether there is a refresh token, this one or a former, or `renewable`: another token
 * is to be had without one.
 */
export async function sealTokens(
  keyring: Keyring,
  row: { id: string; workspaceId: string },
  tokens: TokenSet,
  askedAt: number,
  refreshable: boolean | 'renewable',
): Promise<SealedTokens> {
  return {
    accessToken: await keyring.seal(places.accessToken(row), tokens.accessToken),
    refreshToken: tokens.refreshToken && (await keyring.seal(places.refreshToken(row), tokens.refreshToken)),
    tokenType: tokens.tokenType,
    scope: tokens.scope,
    expiresIn: tokens.expiresIn,
    expiryAssumed: tokens.expiryAssumed,
    refreshTokenExpiresIn: tokens.refreshTokenExpiresIn,
    ...scheduleRefresh({
      ...tokens,
      refreshable: refreshable !== false,
      renewable: refreshable === 'renewable',
    }),
    age: performance.now() - askedAt,
  }
}
