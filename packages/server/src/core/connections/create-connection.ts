import { randomUUID } from 'node:crypto'
import type { GrantType, NewConnection } from '@authconn/shared'
import { requirePermission } from '../callers/permissions.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { places } from '../crypto/places.ts'
import { AuthconnError } from '../errors.ts'
import type { OAuth, ProviderInput } from '../oauth-port.ts'
import type { Caller, ConnectionStore, ConnectionWithGrant } from '../ports.ts'
import { type ClientCredential, methodsFor, toSealable } from './client-credential.ts'
import { readCredential, requireMethod } from './read-credential.ts'
import { readTokenRequest, requireFitting, requireSigningKey } from './read-token-request.ts'

export type CreateConnection = (by: Caller, wanted: NewConnection) => Promise<ConnectionWithGrant>

/** Throws permission_denied, connection_exists, invalid_request, client_key_invalid and what OAuth.resolveProvider throws. */
export function createCreateConnection(deps: {
  connections: ConnectionStore
  keyring: Keyring
  oauth: Pick<OAuth, 'resolveProvider' | 'assertionHabits'>
}): CreateConnection {
  const { connections, keyring, oauth } = deps

  return async function createConnection(by, wanted) {
    requirePermission(by, 'connection:manage', { connection: wanted.name })
    const given = readCredential(wanted)
    if (!given) throw new AuthconnError('invalid_request', '/body must hold a client_secret or a client_key')
    if ((wanted.provider === undefined) === (wanted.provider_url === undefined)) {
      throw new AuthconnError('invalid_request', '/body must hold either a provider or a provider_url')
    }
    const { credential, facts } = given
    const grantType = wanted.grant_type ?? 'authorization_code'
    requireFitting(wanted)
    requireSigningKey(credential, grantType)
    requireMethod(credential, wanted.token_endpoint_auth_method, grantType)
    const exists = () =>
      new AuthconnError('connection_exists', `There is a connection named "${wanted.name}" already`)
    // Asked first only to spare the provider a discovery; the unique index decides.
    if (await connections.find(by.workspaceId, wanted.name)) throw exists()

    const provider = await oauth.resolveProvider(providerInput(wanted, grantType, credential))
    const row = { id: randomUUID(), workspaceId: by.workspaceId }
    const inserted = await connections.insert({
      ...row,
      ...provider,
      name: wanted.name,
      issuerUrl: wanted.issuer_url ?? null,
      clientId: wanted.client_id,
      clientKey: facts,
      grantType,
      tokenRequest: readTokenRequest(wanted, provider, oauth.assertionHabits(provider.provider)),
      clientSecret: await keyring.seal(places.clientSecret(row), toSealable(credential)),
    })
    if (!inserted) throw exists()
    // From what was inserted, not looked up again: somebody may have deleted it, or begun an authorization.
    return { connection: inserted, grant: undefined, pendingRevocations: 0, now: inserted.createdAt }
  }
}

function providerInput(wanted: NewConnection, grantType: GrantType, credential: ClientCredential): ProviderInput {
  const { authorization_endpoint, token_endpoint, revocation_endpoint, introspection_endpoint } = wanted
  const { userinfo_endpoint, jwks_uri, pushed_authorization_request_endpoint } = wanted
  const { device_authorization_endpoint } = wanted
  const { tenant, subdomain, region } = wanted
  return {
    ...(wanted.provider === undefined ? {} : { provider: wanted.provider }),
    ...(wanted.provider_url === undefined ? {} : { providerUrl: wanted.provider_url }),
    variables: {
      ...(tenant === undefined ? {} : { tenant }),
      ...(subdomain === undefined ? {} : { subdomain }),
      ...(region === undefined ? {} : { region }),
    },
    clientId: wanted.client_id,
    grantType,
    ...(wanted.issuer_url === undefined ? {} : { issuerUrl: wanted.issuer_url }),
    ...(wanted.token_endpoint_auth_method === undefined
      ? {}
      : { tokenEndpointAuthMethod: wanted.token_endpoint_auth_method }),
    authMethods: methodsFor(credential, grantType),
    ...(credential.kind === 'key' ? { keyAlgorithm: credential.algorithm } : {}),
    endpoints: {
      ...(authorization_endpoint === undefined ? {} : { authorization_endpoint }),
      ...(token_endpoint === undefined ? {} : { token_endpoint }),
      ...(revocation_endpoint === undefined ? {} : { revocation_endpoint }),
      ...(introspection_endpoint === undefined ? {} : { introspection_endpoint }),
      ...(userinfo_endpoint === undefined ? {} : { userinfo_endpoint }),
      ...(jwks_uri === undefined ? {} : { jwks_uri }),
      ...(pushed_authorization_request_endpoint === undefined ? {} : { pushed_authorization_request_endpoint }),
      ...(device_authorization_endpoint === undefined ? {} : { device_authorization_endpoint }),
    },
  }
}
