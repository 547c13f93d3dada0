import type { Provider } from 'oidc-provider'
import type { FamilyLog } from '../families.ts'
import type { SandboxStats } from '../stats.ts'

/** Writes down what became of each family, from what the provider reports. */
export function observeRefreshes(provider: Provider, deps: { families: FamilyLog; stats: SandboxStats }) {
  const { families, stats } = deps

  provider.on('refresh_token.saved', ({ grantId }) => {
    if (grantId) families.began(grantId)
  })
  provider.on('grant.success', ({ oidc }) => {
    const grantId = oidc.entities.RefreshToken?.grantId
    if (grantId && oidc.params?.grant_type === 'refresh_token') families.refreshed(grantId)
  })
  provider.on('grant.error', ({ oidc }, { error_detail: detail }) => {
    const token = String(oidc.params?.refresh_token)
    if (detail === 'refresh token already used') {
      stats.refreshTokenReplays += 1
      families.replayed(oidc.entities.RefreshToken?.grantId ?? '', token)
    }
    // A replay takes the tokens of its family away, so the next replay is of a token that nobody knows.
    if (detail === 'refresh token not found' && families.replayedAfterEnd(token)) stats.refreshTokenReplays += 1
  })
}
