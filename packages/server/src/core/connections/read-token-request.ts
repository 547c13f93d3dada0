import type { Assertion, GrantType, NewConnection, TokenRequest } from '@authconn/shared'
import { AuthconnError } from '../errors.ts'
import type { AssertionHabits, ResolvedProvider } from '../oauth-port.ts'
import type { ClientCredential } from './client-credential.ts'

/**
 * What a new connection asks its provider for by itself; null where somebody consents. Throws invalid_request for what does
 * not go together.
 */
export function readTokenRequest(
  wanted: NewConnection,
  provider: Pick<ResolvedProvider, 'issuer' | 'endpoints'>,
  habits: AssertionHabits,
): TokenRequest | null {
  const { grant_type: grantType = 'authorization_code', scopes = [], audience = null, resource = [] } = wanted
  if (grantType === 'authorization_code') return null
  const assertion = grantType === 'jwt_bearer' ? toAssertion(wanted, provider, habits) : null
  return { scopes, audience, resource, assertion }
}

/** Throws invalid_request when something is given that the grant type has no place for. */
export function requireFitting(wanted: NewConnection): void {
  const { grant_type: grantType = 'authorization_code' } = wanted
  const misplaced = misplacedIn[grantType].find((field) => wanted[field] !== undefined)
  if (misplaced) throw invalid(`/body/${misplaced} is of no use with the grant type ${grantType}`)
}

const misplacedIn: Readonly<Record<GrantType, readonly (keyof NewConnection)[]>> = {
  authorization_code: ['scopes', 'audience', 'resource', 'assertion'],
  client_credentials: ['assertion'],
  jwt_bearer: [],
}

/** Throws invalid_request where assertions are to be signed and there is no key for that. */
export function requireSigningKey(credential: ClientCredential, grantType: GrantType): void {
  if (grantType !== 'jwt_bearer' || credential.kind === 'key') return
  throw invalid('/body/client_key is needed for the grant type jwt_bearer: assertions are signed with it')
}

function toAssertion(
  { client_id, assertion: given = {} }: NewConnection,
  { issuer: provider, endpoints }: Pick<ResolvedProvider, 'issuer' | 'endpoints'>,
  habits: AssertionHabits,
): Assertion {
  const { issuer = client_id } = given
  if (habits.subject === 'required' && given.subject === undefined) {
    throw invalid('/body/assertion/subject must name the account that the tokens act for, at this provider')
  }
  return {
    issuer,
    // RFC 7523 section 3 asks for one; where the client speaks for itself, it is the client.
    subject: given.subject ?? (habits.subject === 'none' ? null : issuer),
    audience: given.audience ?? habits.audience ?? provider ?? endpoints.token_endpoint,
    scope_claim: given.scope_claim ?? habits.scope_claim,
    lifetime: habits.lifetime,
  }
}

function invalid(detail: string): AuthconnError {
  return new AuthconnError('invalid_request', detail)
}
