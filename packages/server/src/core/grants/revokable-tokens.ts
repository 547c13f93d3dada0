import { randomUUID } from 'node:crypto'
import type { Keyring } from '../crypto/keyring.ts'
import { places } from '../crypto/places.ts'
import type { TokenSet } from '../oauth-port.ts'
import { Secret } from '../secret.ts'
import { listTokens } from './revoke-tokens.ts'

/** One token of a sealed revocation, in its JSON. */
interface RevokableToken {
  token: string
  hint: 'refresh_token' | 'access_token'
}

/** Seals tokens for the queue of revocations. */
export async function sealForRevocation(
  keyring: Keyring,
  workspaceId: string,
  tokens: { refreshToken: TokenSet['refreshToken']; accessToken: Secret | null },
): Promise<{ id: string; tokens: Uint8Array }> {
  const row = { id: randomUUID(), workspaceId }
  const list: RevokableToken[] = listTokens(tokens).map(({ token, hint }) => ({ token: token.reveal(), hint }))
  const sealed = await keyring.seal(places.revocationTokens(row), new Secret(JSON.stringify(list)))
  return { id: row.id, tokens: sealed }
}

export function parseRevokableTokens(opened: Secret): (Pick<RevokableToken, 'hint'> & { token: Secret })[] {
  const list: RevokableToken[] = JSON.parse(opened.reveal())
  return list.map(({ token, hint }) => ({ token: new Secret(token), hint }))
}
