import { randomUUID } from 'node:crypto'
import type { Keyring } from '../crypto/keyring.ts'
import { places } from '../crypto/places.ts'
import type { TokenSet } from '../oauth-port.ts'
import { Secret } from '../secret.ts'

/** One token of a sealed revocation, in its JSON. */
interface RevokableToken {
  token: string
  hint: 'refresh_token' | 'access_token'
}

/** Seals tokens for the queue of revocations. The refresh token goes first: where it is revoked, the grant has ended. */
export async function sealForRevocation(
  keyring: Keyring,
  workspaceId: string,
  tokens: { refreshToken: TokenSet['refreshToken']; accessToken: Secret | null },
): Promise<{ id: string; tokens: Uint8Array }> {
  const row = { id: randomUUID(), workspaceId }
  const list: RevokableToken[] = []
  if (tokens.refreshToken) list.push({ token: tokens.refreshToken.reveal(), hint: 'refresh_token' })
  if (tokens.accessToken) list.push({ token: tokens.accessToken.reveal(), hint: 'access_token' })
  const sealed = await keyring.seal(places.revocationTokens(row), new Secret(JSON.stringify(list)))
  return { id: row.id, tokens: sealed }
}

export function parseRevokableTokens(opened: Secret): (Pick<RevokableToken, 'hint'> & { token: Secret })[] {
  const list: RevokableToken[] = JSON.parse(opened.reveal())
  return list.map(({ token, hint }) => ({ token: new Secret(token), hint }))
}
