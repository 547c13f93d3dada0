import type { Provider } from 'oidc-provider'
import type { SandboxSettings } from '../settings.ts'

/** Puts the refresh token's remaining seconds into token answers, under the name that the settings say. */
export function announceRefreshTokenTtl(provider: Provider, settings: SandboxSettings) {
  provider.on('grant.success', (ctx) => {
    const token = ctx.oidc.entities.RefreshToken
    if (token) ctx.body = { ...(ctx.body as object), ...describeRefreshTokenTtl(token, settings) }
  })
}

export function describeRefreshTokenTtl(
  token: { remainingTTL: number },
  { announceRefreshTokenTtl: name }: SandboxSettings,
): { refresh_token_expires_in?: number; x_refresh_token_expires_in?: number } {
  return name === 'none' ? {} : { [name]: token.remainingTTL }
}
