import { timingSafeEqual } from 'node:crypto'
import { requirePermission } from '../callers/permissions.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { places } from '../crypto/places.ts'
import { AuthconnError } from '../errors.ts'
import { sealTokens } from '../grants/seal-tokens.ts'
import type { AuthorizationRequest, OAuth, OAuthClient, TokenSet } from '../oauth-port.ts'
import type {
  Authorization,
  AuthorizationStore,
  Caller,
  ConnectionStore,
  Grant,
  GrantStore,
  Log,
} from '../ports.ts'
import { Secret } from '../secret.ts'
import { openClient } from './oauth-client.ts'
import { toAuthconnError } from './provider-errors.ts'
import { isRedirectTo } from './redirect-uri.ts'
import { type AuthorizationSecrets, hashState } from './start-authorization.ts'

export type CompleteAuthorization = (
  by: Caller,
  id: string,
  redirectedUrl: string,
) => Promise<{ authorization: Authorization; grant: Grant; now: Date }>

/**
 * Exchanges the code of a callback, once, and stores the tokens.
 * Throws authorization_not_found, authorization_over, callback_invalid, authorization_denied, issuer_mismatch,
 * code_rejected, client_rejected, id_token_invalid, provider_unavailable, provider_answer_invalid.
 */
export function createCompleteAuthorization(deps: {
  authorizations: AuthorizationStore
  connections: ConnectionStore
  grants: GrantStore
  keyring: Keyring
  oauth: OAuth
  log: Log
}): CompleteAuthorization {
  const { authorizations, connections, grants, keyring, oauth, log } = deps

  return async function completeAuthorization(by, id, redirectedUrl) {
    const authorization = await getOwnAuthorization(authorizations, by, id)
    const callback = checkCallback(authorization, redirectedUrl)
    const connection = await connections.findById(authorization.connectionId)
    const sealedSecrets = authorization.secrets
    if (authorization.status !== 'pending' || !sealedSecrets || !connection || !(await authorizations.claim(id))) {
      throw new AuthconnError('authorization_over', `This authorization is ${overReason(authorization)}`)
    }

    const request = await openRequest(keyring, authorization, sealedSecrets)
    const client = await openClient(keyring, connection)
    const askedAt = performance.now()
    let tokens: TokenSet
    try {
      tokens = await oauth.exchangeCode(client, request, callback)
    } catch (error) {
      const known = toAuthconnError(error, { invalid_grant: 'code_rejected' })
      await authorizations.fail(id, known instanceof AuthconnError ? known.message : 'The vault failed')
      throw known
    }

    const grant = await grants.ensure(connection, authorization.subject)
    const sealed = await sealTokens(keyring, { ...grant, workspaceId: connection.workspaceId }, tokens, askedAt)
    if (!(await authorizations.complete(id, grant.id, sealed))) {
      await giveBack(client, tokens)
      throw new AuthconnError('connection_not_found', 'The connection was deleted while it was being authorized')
    }
    const stored = await grants.findById(grant.id)
    if (!stored)
      throw new AuthconnError('connection_not_found', 'The connection was deleted while it was being authorized')
    return { authorization: { ...authorization, status: 'completed' }, grant: stored.grant, now: stored.now }
  }

  /** Tokens that found no place must not stay alive at the provider. */
  async function giveBack(client: OAuthClient, tokens: TokenSet) {
    if (!client.endpoints.revocation_endpoint) return
    const token = tokens.refreshToken ?? tokens.accessToken
    await oauth.revoke(client, token, tokens.refreshToken ? 'refresh_token' : 'access_token').catch((error) => {
      log.warn({ error }, 'could not revoke tokens that were issued for a deleted connection')
    })
  }
}

/** An authorization that this caller began; of others it does not even learn that they exist. */
export async function getOwnAuthorization(
  authorizations: AuthorizationStore,
  by: Caller,
  id: string,
): Promise<Authorization> {
  requirePermission(by, 'connection:authorize')
  const authorization = await authorizations.find(by.workspaceId, id, by.id)
  if (!authorization) throw new AuthconnError('authorization_not_found')
  return authorization
}

/** State first, in constant time, before anything else of the callback is looked at; then the redirect URI. */
function checkCallback(authorization: Authorization, redirectedUrl: string): URL {
  const url = URL.canParse(redirectedUrl) ? new URL(redirectedUrl) : undefined
  const states = url?.searchParams.getAll('state') ?? []
  if (!url || states.length !== 1 || !timingSafeEqual(hashState(states[0] ?? ''), authorization.stateHash)) {
    throw new AuthconnError(
      'callback_invalid',
      'The state in the redirected URL is not the one of this authorization',
    )
  }
  if (!isRedirectTo(url, authorization.redirectUri)) {
    throw new AuthconnError('callback_invalid', `The browser was not sent to ${authorization.redirectUri}`)
  }
  return url
}

async function openRequest(
  keyring: Keyring,
  authorization: Authorization,
  sealed: Uint8Array,
): Promise<AuthorizationRequest> {
  const opened = await keyring.open(places.authorizationSecrets(authorization), sealed)
  const { state, nonce, codeVerifier }: AuthorizationSecrets = JSON.parse(opened.reveal())
  return {
    redirectUri: authorization.redirectUri,
    scopes: authorization.scopes,
    state,
    nonce,
    codeVerifier: new Secret(codeVerifier),
  }
}

function overReason(authorization: Authorization): string {
  return authorization.status === 'pending'
    ? 'being completed already, or its connection is gone'
    : authorization.status
}
