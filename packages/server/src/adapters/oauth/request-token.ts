import { randomUUID } from 'node:crypto'
import type { Assertion } from '@authconn/shared'
import { clientCredentialsGrantRequest, genericTokenEndpointRequest } from 'oauth4webapi'
import { type AssertionHabits, type OAuth, type OAuthClient, ProviderFailure } from '../../core/oauth-port.ts'
import type { Secret } from '../../core/secret.ts'
import { authenticate } from './client-authentication.ts'
import { readTokenMetadata } from './grant-facts.ts'
import { prepareCall } from './provider-call.ts'
import { findCatalogEntry } from './providers.ts'
import type { SafeFetch } from './safe-fetch.ts'
import { readTokenAnswer } from './token-answer.ts'
import type { FindTokenEnd } from './token-end.ts'

type Wanted = Parameters<OAuth['requestToken']>[1]

const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

/**
 * Asks for a token with nothing but what the client holds (RFC 6749 section 4.4, RFC 7523 section 2.1). A refresh token that
 * comes with it is left where it is: the next token is asked for in the same way (RFC 6749 section 4.4.3).
 */
export function createRequestToken(
  safeFetch: SafeFetch,
  findTokenEnd: FindTokenEnd,
  timeoutMs: number,
): OAuth['requestToken'] {
  return async function requestToken(client, wanted) {
    const assertion = wanted.assertion && (await sign(client, wanted.assertion, wanted))
    const secrets = assertion ? [assertion] : []
    const call = prepareCall(safeFetch, client, 'token_endpoint', secrets, timeoutMs)
    const { server, oauthClient, context, options } = call
    const parameters = parametersOf(client, wanted)
    if (assertion) parameters.set('assertion', assertion.reveal())
    const response = assertion
      ? await genericTokenEndpointRequest(
          server,
          oauthClient,
          authenticate(client),
          jwtBearer,
          parameters,
          options,
        )
      : await clientCredentialsGrantRequest(server, oauthClient, authenticate(client), parameters, options)
    // Nothing is lost by refusing what is not as it should be: it can be asked for again.
    const { tokens, fields } = await readTokenAnswer(response, 'exchange', context)
    const complete = await findTokenEnd(client, { ...tokens, refreshToken: null }, true)
    return { ...complete, refreshTokenExpiresIn: null, metadata: readTokenMetadata(client.provider, fields) }
  }
}

/** Where nothing is known of a provider, the subject is the client itself, and the assertion as short as RFC 7523 advises. */
export const assertionHabits: OAuth['assertionHabits'] = (provider): AssertionHabits => {
  const known = findCatalogEntry(provider)?.jwt_bearer
  if (!known) return { audience: null, subject: 'issuer', scope_claim: false, lifetime: 120 }
  return { ...known, audience: known.audience ?? null }
}

function parametersOf(client: OAuthClient, { scopes, audience, resource, assertion }: Wanted): URLSearchParams {
  const parameters = new URLSearchParams()
  const scope = joinScopes(client, scopes)
  if (scope !== '' && !assertion?.scope_claim) parameters.set('scope', scope)
  if (audience !== null) parameters.set('audience', audience)
  for (const uri of resource) parameters.append('resource', uri)
  return parameters
}

async function sign(client: OAuthClient, about: Assertion, { scopes, subject }: Wanted): Promise<Secret> {
  const { credential } = client
  if (credential.kind !== 'key')
    throw new ProviderFailure('client', 'The client has no key to sign assertions with')
  const issuedAt = Math.floor(Date.now() / 1000)
  const sub = subject || about.subject
  const scope = joinScopes(client, scopes)
  // Loads with the first that is signed: most vaults sign none.
  const { signJwt } = await import('./sign-jwt.ts')
  return signJwt(credential, {
    iss: about.issuer,
    ...(sub === null ? {} : { sub }),
    aud: about.audience,
    iat: issuedAt,
    exp: issuedAt + about.lifetime,
    jti: randomUUID(),
    ...(about.scope_claim && scope !== '' ? { scope } : {}),
  })
}

function joinScopes({ provider }: OAuthClient, scopes: readonly string[]): string {
  return scopes.join(findCatalogEntry(provider)?.scopes.separator ?? ' ')
}
