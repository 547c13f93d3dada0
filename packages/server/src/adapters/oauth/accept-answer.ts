import { listTokens, revokeTokens } from '../../core/grants/revoke-tokens.ts'
import {
  type AuthorizationRequest,
  type AuthorizedTokens,
  type OAuth,
  type OAuthClient,
  ProviderFailure,
  type TokenSet,
} from '../../core/oauth-port.ts'
import { readAbout } from './grant-facts.ts'
import type { ValidateIdToken } from './id-token.ts'
import type { TokenAnswer } from './token-answer.ts'
import type { FindTokenEnd } from './token-end.ts'

/**
 * The tokens that somebody's consent has given, once the ID token beside them is validated, with all that was said of them.
 * Throws ProviderFailure `id_token`, or what fetching the provider's keys throws.
 */
export type AcceptAnswer = (
  client: OAuthClient,
  request: Pick<AuthorizationRequest, 'scopes' | 'nonce'>,
  answer: TokenAnswer,
  callback: URLSearchParams,
) => Promise<AuthorizedTokens>

export function createAcceptAnswer(deps: {
  validateIdToken: ValidateIdToken
  findTokenEnd: FindTokenEnd
  revoke: OAuth['revoke']
}): AcceptAnswer {
  return async function acceptAnswer(client, request, answer, callback) {
    try {
      await deps.validateIdToken(client, request, answer)
    } catch (error) {
      throw await discard(client, answer.tokens, error)
    }
    const tokens = await deps.findTokenEnd(client, answer.tokens, answer.tokens.refreshToken !== null)
    return { ...tokens, ...readAbout(client.provider, answer.fields, callback) }
  }

  /** Tokens that came with an ID token that cannot be trusted are not kept, so they must not stay alive either. */
  async function discard(client: OAuthClient, tokens: TokenSet, error: unknown): Promise<unknown> {
    if (!client.endpoints.revocation_endpoint || !(error instanceof ProviderFailure)) return error
    try {
      await revokeTokens(listTokens(tokens), (token, hint) => deps.revoke(client, token, hint))
      return error
    } catch (failure) {
      const why = failure instanceof ProviderFailure ? failure.message : 'the revocation failed'
      return new ProviderFailure(error.kind, `${error.message}. Its tokens could not be revoked: ${why}`)
    }
  }
}
