import {
  type AuthorizationServer,
  allowInsecureRequests,
  type Client,
  type CustomFetchOptions,
  customFetch,
} from 'oauth4webapi'
import { type OAuthClient, ProviderFailure } from '../../core/oauth-port.ts'
import type { Secret } from '../../core/secret.ts'
import { findUrlProblem, showUrl } from './check-url.ts'
import { certificateOf } from './client-certificate.ts'
import type { CallContext } from './provider-failure.ts'
import { findCatalogEntry } from './providers.ts'
import { refusalOf, type SafeFetch } from './safe-fetch.ts'

/** Bytes. The largest honest answer is some ID tokens long. */
const maxTokenAnswer = 256 * 1024

/** What oauth4webapi needs for a call to one endpoint, and what is needed to speak of its failure. */
export function prepareCall(
  safeFetch: SafeFetch,
  client: OAuthClient,
  endpoint: CalledEndpoint,
  secrets: readonly Secret[],
  timeoutMs?: number,
) {
  const clientCertificate = certificateOf(client)
  const server = toAuthorizationServer(client)
  if (clientCertificate) Object.assign(server, client.endpoints.mtls_endpoint_aliases)
  const url = new URL(server[endpoint] ?? fail(`The connection has no ${endpoint}`))
  const problem = findUrlProblem(url, safeFetch.policy)
  if (problem) throw refusalOf(url, problem)
  if (clientCertificate && url.protocol !== 'https:') {
    throw new ProviderFailure('address', `${showUrl(url)} must be https for a client that shows a certificate`)
  }
  const isJson = !formOnly.has(endpoint) && findCatalogEntry(client.provider)?.body_format === 'json'
  const context: CallContext = {
    endpoint: showUrl(url),
    provider: client.provider,
    secrets: [...(client.credential.kind === 'secret' ? [client.credential.secret] : []), ...secrets],
  }
  return {
    url,
    server,
    oauthClient: toOAuthClient(client),
    context,
    options: {
      // http gets this far only to loopback, and only where that is allowed.
      [allowInsecureRequests]: url.protocol === 'http:',
      [customFetch]: (target: string, { method, headers, body }: CustomFetchOptions<'POST', URLSearchParams>) =>
        safeFetch(target, {
          method,
          ...(isJson ? asJson(headers, body) : { headers, body: body.toString() }),
          maxBodyBytes: maxTokenAnswer,
          ...(timeoutMs === undefined ? {} : { timeoutMs }),
          ...(clientCertificate && { clientCertificate }),
        }),
    },
  }
}

export type CalledEndpoint =
  | 'token_endpoint'
  | 'revocation_endpoint'
  | 'introspection_endpoint'
  | 'pushed_authorization_request_endpoint'
  | 'device_authorization_endpoint'

/** What the catalog says of bodies is of the token endpoint and its like. */
const formOnly: ReadonlySet<CalledEndpoint> = new Set(['introspection_endpoint', 'device_authorization_endpoint'])

/** The aliases for clients with a certificate are left to prepareCall, which knows whether there is one. */
export function toAuthorizationServer({ issuer, endpoints }: Pick<OAuthClient, 'issuer' | 'endpoints'>) {
  const { mtls_endpoint_aliases: _, ...others } = endpoints
  // The library wants some issuer. Where none is known, nothing is compared with it: see id-token.ts.
  return { issuer: issuer ?? new URL(endpoints.token_endpoint).origin, ...others } satisfies AuthorizationServer
}

export function toOAuthClient({ clientId }: Pick<OAuthClient, 'clientId'>): Client {
  return { client_id: clientId }
}

/** Some token endpoints take JSON in the place of the form of RFC 6749 section 4.1.3. */
function asJson(headers: Record<string, string>, body: URLSearchParams) {
  return {
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(Object.fromEntries(body)),
  }
}

function fail(detail: string): never {
  throw new ProviderFailure('unintelligible', detail)
}
