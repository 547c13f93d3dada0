import { timingSafeEqual } from 'node:crypto'
import { requirePermission } from '../callers/permissions.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { places } from '../crypto/places.ts'
import { AuthconnError } from '../errors.ts'
import type { Grant } from '../grant-port.ts'
import type { AuthorizationRequest, OAuth } from '../oauth-port.ts'
import type { Authorization, AuthorizationStore, Caller, ConnectionStore } from '../ports.ts'
import { Secret } from '../secret.ts'
import { authorizationOver, failAuthorization, type KeepAuthorized } from './keep-authorized.ts'
import { callAsClient } from './oauth-client.ts'
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
 * code_rejected, client_rejected, id_token_invalid, provider_unavailable, provider_answer_invalid,
 * provider_address_refused, provider_host_not_allowed, sealed_value_damaged.
 */
export function createCompleteAuthorization(deps: {
  authorizations: AuthorizationStore
  connections: ConnectionStore
  keyring: Keyring
  oauth: Pick<OAuth, 'exchangeCode'>
  keepAuthorized: KeepAuthorized
}): CompleteAuthorization {
  const { authorizations, connections, keyring, oauth } = deps

  return async function completeAuthorization(by, id, redirectedUrl) {
    const authorization = await getOwnAuthorization(authorizations, by, id)
    const { callback, redirectUri } = checkCallback(authorization, redirectedUrl)
    const connection = await connections.findById(authorization.connectionId)
    const sealedSecrets = authorization.secrets
    // What the database and the key service can fail at is done before the one try is taken and the code is spent.
    await keyring.prepare(authorization.workspaceId)
    if (authorization.status !== 'pending' || !sealedSecrets || !connection || !(await authorizations.claim(id))) {
      throw authorizationOver(authorization)
    }
    try {
      const request = await openRequest(keyring, { ...authorization, redirectUri }, sealedSecrets)
      const askedAt = performance.now()
      const tokens = await callAsClient(keyring, connection, (client) =>
        oauth.exchangeCode(client, request, callback),
      )
      const stored = await deps.keepAuthorized({ authorization, connection, tokens, askedAt })
      return { authorization: { ...authorization, status: 'completed' as const }, ...stored }
    } catch (error) {
      const known = toAuthconnError(error, { invalid_grant: 'code_rejected' })
      await failAuthorization(authorizations, id, known)
      throw known
    }
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
function checkCallback(
  { stateHash, redirectUri }: Authorization,
  redirectedUrl: string,
): { callback: URL; redirectUri: string } {
  if (stateHash === null || redirectUri === null) {
    throw new AuthconnError('callback_invalid', 'This authorization is by a device code, and has no callback')
  }
  const url = URL.canParse(redirectedUrl) ? new URL(redirectedUrl) : undefined
  const states = url?.searchParams.getAll('state') ?? []
  if (!url || states.length !== 1 || !timingSafeEqual(hashState(states[0] ?? ''), stateHash)) {
    throw new AuthconnError(
      'callback_invalid',
      'The state in the redirected URL is not the one of this authorization',
    )
  }
  if (!isRedirectTo(url, redirectUri)) {
    throw new AuthconnError('callback_invalid', `The browser was not sent to ${redirectUri}`)
  }
  return { callback: url, redirectUri }
}

async function openRequest(
  keyring: Keyring,
  authorization: Authorization & { redirectUri: string },
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
