import type { OAuth } from '../../core/oauth-port.ts'
import { authorizationUrl } from './authorization-url.ts'
import { createExchangeCode } from './exchange-code.ts'
import { createValidateIdToken } from './id-token.ts'
import { createRefresh } from './refresh.ts'
import { createResolveProvider } from './resolve-provider.ts'
import { createRevoke } from './revoke.ts'
import type { SafeFetch } from './safe-fetch.ts'

/** Core's view of OAuth 2.0 providers, over the one door out. Closing the door is up to whoever opened it. */
export function createOAuth({ safeFetch }: { safeFetch: SafeFetch }): OAuth {
  const revoke = createRevoke(safeFetch)
  return {
    resolveProvider: createResolveProvider(safeFetch),
    authorizationUrl,
    exchangeCode: createExchangeCode(safeFetch, createValidateIdToken(safeFetch), revoke),
    refresh: createRefresh(safeFetch),
    revoke,
  }
}
