import type { Keyring } from '../crypto/keyring.ts'
import { places } from '../crypto/places.ts'
import type { TokenSet } from '../oauth-port.ts'
import type { SealedTokens } from '../ports.ts'

/** A provider's tokens sealed for the row of their grant. `askedAt`: performance.now() when the provider was asked. */
export async function sealTokens(
  keyring: Keyring,
  row: { id: string; workspaceId: string },
  tokens: TokenSet,
  askedAt: number,
): Promise<SealedTokens> {
  return {
    accessToken: await keyring.seal(places.accessToken(row), tokens.accessToken),
    refreshToken: tokens.refreshToken && (await keyring.seal(places.refreshToken(row), tokens.refreshToken)),
    tokenType: tokens.tokenType,
    scope: tokens.scope,
    expiresIn: tokens.expiresIn,
    age: performance.now() - askedAt,
  }
}
