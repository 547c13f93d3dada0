import type { FetchToken } from '../../core/grants/fetch-token.ts'
import { addressOf } from '../address-of.ts'
import type { TokenHandler } from '../operation.ts'
import { iso } from '../views.ts'

export function createTokenHandler(deps: { fetchToken: FetchToken }): TokenHandler {
  return async function getToken(request, { params, query }) {
    const token = await deps.fetchToken({
      authorization: request.headers.authorization,
      keyHash: request.keyHash,
      connection: params.name,
      wish: {
        subject: query.subject,
        minTtl: query.min_ttl,
        force: query.force_refresh,
        rejectedVersion: query.rejected_version,
        maxWait: query.max_wait,
      },
      address: addressOf(request),
      requestId: request.id,
    })
    return {
      access_token: token.accessToken.reveal(),
      token_type: token.tokenType,
      expires_at: iso(token.expiresAt),
      version: token.version,
      ...(token.scope === null ? {} : { scope: token.scope }),
      ...(token.refreshToken ? { refresh_token: token.refreshToken.reveal() } : {}),
    }
  }
}
