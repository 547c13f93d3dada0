import type { ProviderEndpoints } from '@authconn/shared'
import type { DetailLine } from './table.ts'

/** Where a provider is, a line for each endpoint that is known of. */
export function endpointLines(endpoints: ProviderEndpoints): DetailLine[] {
  return [
    ['authorization endpoint', endpoints.authorization_endpoint],
    ['token endpoint', endpoints.token_endpoint],
    ['revocation endpoint', endpoints.revocation_endpoint ?? 'none'],
    ['introspection endpoint', endpoints.introspection_endpoint],
    ['userinfo endpoint', endpoints.userinfo_endpoint],
    ['key set', endpoints.jwks_uri],
    ['device codes', endpoints.device_authorization_endpoint],
    ['pushed requests', endpoints.pushed_authorization_request_endpoint],
  ]
}
