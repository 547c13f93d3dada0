import type { OAuth } from '../../core/oauth-port.ts'
import { createAcceptAnswer } from './accept-answer.ts'
import { authorizationUrl, defaultScopes } from './authorization-url.ts'
import { createDeviceAuthorization } from './device-authorization.ts'
import { createExchangeCode } from './exchange-code.ts'
import { createFindAccount } from './find-account.ts'
import { createValidateIdToken } from './id-token.ts'
import { createPushAuthorization } from './push-authorization.ts'
import { createRefresh } from './refresh.ts'
import { assertionHabits, createRequestToken } from './request-token.ts'
import { createResolveProvider } from './resolve-provider.ts'
import { createRevoke } from './revoke.ts'
import type { SafeFetch } from './safe-fetch.ts'
import { createFindTokenEnd } from './token-end.ts'

/** Core's view of OAuth 2.0 providers, over the one door out. Closing the door is up to whoever opened it. */
export function createOAuth({
  safeFetch,
  refreshTimeoutMs,
}: {
  safeFetch: SafeFetch
  /** Milliseconds that a refresh may take at the provider. */
  refreshTimeoutMs: number
}): OAuth {
  const revoke = createRevoke(safeFetch)
  const findTokenEnd = createFindTokenEnd(safeFetch)
  const validateIdToken = createValidateIdToken(safeFetch)
  const accept = createAcceptAnswer({ validateIdToken, findTokenEnd, revoke })
  return {
    resolveProvider: createResolveProvider(safeFetch),
    defaultScopes,
    authorizationUrl,
    pushAuthorization: createPushAuthorization(safeFetch),
    exchangeCode: createExchangeCode(safeFetch, accept),
    ...createDeviceAuthorization(safeFetch, accept),
    requestToken: createRequestToken(safeFetch, findTokenEnd, refreshTimeoutMs),
    assertionHabits,
    refresh: createRefresh(safeFetch, findTokenEnd, refreshTimeoutMs),
    findAccount: createFindAccount(safeFetch),
    revoke,
  }
}
