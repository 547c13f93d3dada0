import { type OAuth, ProviderFailure } from '../oauth-port.ts'
import type { Secret } from '../secret.ts'

type Hint = 'refresh_token' | 'access_token'

/**
 * Ends the tokens of a grant at its provider, the refresh token first: where it is revoked, the grant has ended. A provider
 * may take only one of the two (RFC 7009 section 2.2.1). Resolves to `in_doubt` where it takes access tokens only and does
 * not know this one any more, as that says nothing of the refresh token. Throws ProviderFailure; `unsupported` where it
 * takes none of them.
 */
export async function revokeTokens(
  tokens: readonly { token: Secret; hint: Hint }[],
  revoke: (token: Secret, hint: Hint) => ReturnType<OAuth['revoke']>,
): Promise<'revoked' | 'in_doubt'> {
  const ended = new Map<Hint, 'revoked' | 'gone'>()
  let unsupported: ProviderFailure | undefined
  for (const { token, hint } of tokens) {
    try {
      ended.set(hint, await revoke(token, hint))
    } catch (error) {
      if (!(error instanceof ProviderFailure && error.kind === 'unsupported')) throw error
      unsupported ??= error
    }
  }
  if (ended.size === 0 && unsupported) throw unsupported
  const refreshTokenLeft = tokens.some(({ hint }) => hint === 'refresh_token') && !ended.has('refresh_token')
  return refreshTokenLeft && ended.get('access_token') === 'gone' ? 'in_doubt' : 'revoked'
}

/** Both tokens of a grant, in the order in which they are revoked. */
export function listTokens(tokens: {
  refreshToken: Secret | null
  accessToken: Secret | null
}): { token: Secret; hint: Hint }[] {
  return [
    ...(tokens.refreshToken ? [{ token: tokens.refreshToken, hint: 'refresh_token' as const }] : []),
    ...(tokens.accessToken ? [{ token: tokens.accessToken, hint: 'access_token' as const }] : []),
  ]
}
