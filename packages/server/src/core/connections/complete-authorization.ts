import { timingSafeEqual } from 'node:crypto'
import type { Account } from '@authconn/shared'
import { requirePermission } from '../callers/permissions.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { places } from '../crypto/places.ts'
import { AuthconnError } from '../errors.ts'
import type { Grant, GrantStore } from '../grant-port.ts'
import type { GiveBackTokens } from '../grants/give-back-tokens.ts'
import { sealTokens } from '../grants/seal-tokens.ts'
import { type AuthorizationRequest, type AuthorizedTokens, type OAuth, ProviderFailure } from '../oauth-port.ts'
import { persist } from '../persist.ts'
import { persistSealed } from '../persist-sealed.ts'
import type { Authorization, AuthorizationStore, Caller, Connection, ConnectionStore, Log } from '../ports.ts'
import { Secret } from '../secret.ts'
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
  grants: GrantStore
  keyring: Keyring
  oauth: OAuth
  giveBackTokens: GiveBackTokens
  sleep(ms: number): Promise<unknown>
  log: Pick<Log, 'warn'>
}): CompleteAuthorization {
  const { authorizations, connections, grants, keyring, oauth } = deps

  return async function completeAuthorization(by, id, redirectedUrl) {
    const authorization = await getOwnAuthorization(authorizations, by, id)
    const callback = checkCallback(authorization, redirectedUrl)
    const connection = await connections.findById(authorization.connectionId)
    const sealedSecrets = authorization.secrets
    // What the database and the key service can fail at is done before the one try is taken and the code is spent.
    await keyring.prepare(authorization.workspaceId)
    if (authorization.status !== 'pending' || !sealedSecrets || !connection || !(await authorizations.claim(id))) {
      throw over(authorization)
    }
    try {
      const request = await openRequest(keyring, authorization, sealedSecrets)
      const askedAt = performance.now()
      const tokens = await callAsClient(keyring, connection, (client) =>
        oauth.exchangeCode(client, request, callback),
      )
      return await store(authorization, connection, tokens, askedAt)
    } catch (error) {
      const known = toAuthconnError(error, { invalid_grant: 'code_rejected' })
      await authorizations.fail(id, known instanceof AuthconnError ? known.message : 'The vault failed')
      throw known
    }
  }

  async function store(
    authorization: Authorization,
    connection: Connection,
    tokens: AuthorizedTokens,
    askedAt: number,
  ) {
    const { id, subject } = authorization
    let grantId: string | undefined
    try {
      const grant = await persist(() => grants.ensure(connection, subject), deps.sleep)
      if (!grant) throw over(authorization)
      grantId = grant.id
      const row = { id: grant.id, workspaceId: connection.workspaceId }
      const { outcome } = await persistSealed(
        deps,
        connection.workspaceId,
        () => sealTokens(keyring, row, tokens, askedAt, tokens.refreshToken !== null),
        (sealed) => authorizations.complete(id, grant.id, { ...sealed, age: performance.now() - askedAt }, tokens),
      )
      if (outcome !== 'stored') throw over(authorization)
    } catch (error) {
      await deps.giveBackTokens({ connection, grantId }, tokens)
      throw error
    }
    const stored = await grants.findById(grantId)
    // Deleted in this very moment: the deletion has seen the tokens and revokes them.
    if (!stored) throw over(authorization)
    const account = tokens.account ?? (await findAccount(connection, stored.grant, tokens.accessToken))
    const grant = { ...stored.grant, account }
    return { authorization: { ...authorization, status: 'completed' as const }, ...stored, grant }
  }

  /** Only now that the tokens are kept: the account is for people to read, and nothing waits or fails for it. */
  async function findAccount(connection: Connection, grant: Grant, accessToken: Secret): Promise<Account | null> {
    try {
      const account = await callAsClient(keyring, connection, (client) => oauth.findAccount(client, accessToken))
      return account && (await grants.setAccount(grant, account)) ? account : null
    } catch (error) {
      const reason = error instanceof ProviderFailure ? error.message : 'the vault failed'
      deps.log.warn(
        { grant: grant.id, connection: connection.id, reason },
        'it is not known whose tokens these are',
      )
      return null
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

function over({ status }: Authorization): AuthconnError {
  const reason = status === 'pending' ? 'being completed already, cancelled, or its connection is deleted' : status
  return new AuthconnError('authorization_over', `This authorization is ${reason}`)
}
