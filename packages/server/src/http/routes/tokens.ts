import type { IssueToken } from '../../core/grants/issue-token.ts'
import type { Handlers } from '../operation.ts'
import { iso } from '../views.ts'

export function tokenRoutes(deps: { issueToken: IssueToken }): Pick<Handlers, 'getToken'> {
  return {
    async getToken({ caller, params, query }) {
      const token = await deps.issueToken(caller, params.name, {
        subject: query.subject,
        minTtl: query.min_ttl,
        force: query.force_refresh,
        rejectedVersion: query.rejected_version,
        maxWait: query.max_wait,
      })
      return {
        access_token: token.accessToken.reveal(),
        token_type: token.tokenType,
        expires_at: iso(token.expiresAt),
        version: token.version,
        ...(token.scope === null ? {} : { scope: token.scope }),
        ...(token.refreshToken ? { refresh_token: token.refreshToken.reveal() } : {}),
      }
    },
  }
}
