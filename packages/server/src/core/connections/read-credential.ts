import type { AuthMethod, GrantType, NewClientKey } from '@authconn/shared'
import { AuthconnError } from '../errors.ts'
import { Secret } from '../secret.ts'
import { type ClientCredential, methodsFor, needsKey } from './client-credential.ts'
import { type ClientKeyFacts, readClientKey } from './client-key.ts'

interface Given {
  client_secret?: string
  client_key?: NewClientKey
}

/**
 * The credential that a request gives, and what may be told of it; undefined when it gives none.
 * Throws invalid_request when it gives two, client_key_invalid.
 */
export function readCredential(
  given: Given,
): { credential: ClientCredential; facts: ClientKeyFacts | null } | undefined {
  const { client_secret, client_key } = given
  if (client_secret !== undefined && client_key !== undefined) {
    throw new AuthconnError('invalid_request', '/body/client_key must not be given together with client_secret')
  }
  if (client_key) return readClientKey(client_key)
  if (client_secret === undefined) return undefined
  return { credential: { kind: 'secret', secret: new Secret(client_secret) }, facts: null }
}

/** Throws invalid_request unless a client with that credential can authenticate so. */
export function requireMethod(
  credential: ClientCredential,
  method: AuthMethod | undefined,
  grantType: GrantType,
): void {
  if (method === undefined || methodsFor(credential, grantType).includes(method)) return
  if (method === 'none') {
    throw new AuthconnError(
      'invalid_request',
      '/body/token_endpoint_auth_method none is for the grant type jwt_bearer',
    )
  }
  const needs = needsKey(method)
    ? credential.kind === 'secret'
      ? 'a client_key'
      : 'a client_key with a certificate'
    : 'a client_secret'
  throw new AuthconnError('invalid_request', `/body/token_endpoint_auth_method ${method} needs ${needs}`)
}
