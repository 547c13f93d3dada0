import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { NewAuthorization } from '@authconn/shared'
import { requirePermission } from '../callers/permissions.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { places } from '../crypto/places.ts'
import { AuthconnError } from '../errors.ts'
import type { AuthorizationRequest, OAuth } from '../oauth-port.ts'
import type { Authorization, AuthorizationStore, Caller, Connection, ConnectionStore } from '../ports.ts'
import { Secret } from '../secret.ts'
import { callAsClient, publicClient } from './oauth-client.ts'
import { toAuthconnError } from './provider-errors.ts'
import { getConnection } from './read-connections.ts'
import { checkRedirectUri } from './redirect-uri.ts'

export type StartAuthorization = (
  by: Caller,
  connectionName: string,
  wanted: NewAuthorization,
) => Promise<{ authorization: Authorization; authorizationUrl: string; state: string }>

/** What an authorization keeps sealed until it ends. */
export interface AuthorizationSecrets {
  state: string
  nonce: string | null
  codeVerifier: string
}

/**
 * Throws permission_denied, connection_not_found, grant_type_mismatch, redirect_uri_not_allowed; where the request is pushed to the provider also
 * authorization_request_rejected, client_rejected, provider_unavailable, provider_answer_invalid,
 * provider_address_refused, provider_host_not_allowed, sealed_value_damaged.
 */
export function createStartAuthorization(deps: {
  authorizations: AuthorizationStore
  connections: ConnectionStore
  keyring: Keyring
  oauth: OAuth
  allowedRedirectUris: readonly string[]
}): StartAuthorization {
  return async function startAuthorization(by, connectionName, wanted) {
    const subject = wanted.subject ?? ''
    requirePermission(by, 'connection:authorize', { connection: connectionName, subject })
    const redirectUri = checkRedirectUri(wanted.redirect_uri, deps.allowedRedirectUris)
    const { connection } = await getConnection(deps.connections, by, connectionName)
    requireConsent(connection)

    const scopes = wanted.scopes ?? [...deps.oauth.defaultScopes(connection.provider)]
    const row = { id: randomUUID(), workspaceId: by.workspaceId }
    const secrets: AuthorizationSecrets = {
      state: random(),
      nonce: scopes.includes('openid') ? random() : null,
      codeVerifier: random(),
    }
    const authorizationUrl = await urlFor(connection, {
      redirectUri,
      scopes,
      state: secrets.state,
      nonce: secrets.nonce,
      codeVerifier: new Secret(secrets.codeVerifier),
    })
    const authorization = {
      ...row,
      connectionId: connection.id,
      callerId: by.id,
      subject,
      redirectUri,
      scopes,
      stateHash: hashState(secrets.state),
      secrets: await deps.keyring.seal(places.authorizationSecrets(row), new Secret(JSON.stringify(secrets))),
    }
    const { expiresAt } = await deps.authorizations.insert(authorization, wanted.timeout ?? 600)
    return {
      authorization: {
        ...authorization,
        connectionName,
        status: 'pending',
        failure: null,
        failureCode: null,
        expiresAt,
      },
      authorizationUrl,
      state: secrets.state,
    }
  }

  async function urlFor(connection: Connection, request: AuthorizationRequest): Promise<string> {
    const { oauth, keyring } = deps
    if (!connection.endpoints.pushed_authorization_request_endpoint) {
      return oauth.authorizationUrl(publicClient(connection), request)
    }
    try {
      return await callAsClient(keyring, connection, (client) => oauth.pushAuthorization(client, request))
    } catch (error) {
      throw toAuthconnError(error, {
        unrecognized: 'authorization_request_rejected',
        invalid_grant: 'authorization_request_rejected',
      })
    }
  }
}

/** Throws grant_type_mismatch where a connection gets its tokens without anybody's consent. */
export function requireConsent({ name, grantType }: Connection): void {
  if (grantType === 'authorization_code') return
  throw new AuthconnError(
    'grant_type_mismatch',
    `"${name}" needs nobody's consent: its grant type is ${grantType}`,
  )
}

export function hashState(state: string): Buffer {
  return createHash('sha256').update(state).digest()
}

/** 256 random bits as 43 base64url characters, which is also a PKCE verifier (RFC 7636 section 4.1). */
function random(): string {
  return randomBytes(32).toString('base64url')
}
