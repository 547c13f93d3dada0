import { TLSSocket } from 'node:tls'
import type { Configuration } from 'oidc-provider'
import type { Context } from '../http/context.ts'
import { endpoints } from '../http/endpoints.ts'

type MutualTls = NonNullable<NonNullable<Configuration['features']>['mTLS']>

/** Clients are known by the certificate of their connection (RFC 8705), which this process itself has terminated. */
export const mutualTls: MutualTls = {
  enabled: true,
  tlsClientAuth: true,
  selfSignedTlsClientAuth: true,
  getCertificate: (ctx) => socketOf(ctx)?.getPeerX509Certificate()?.toString(),
  certificateAuthorized: (ctx) => socketOf(ctx)?.authorized ?? false,
  certificateSubjectMatches: (ctx, property, expected) =>
    property === 'tls_client_auth_subject_dn' && socketOf(ctx)?.getPeerX509Certificate()?.subject === expected,
}

/** The endpoints for such clients, by their names in metadata (RFC 8705 section 5). */
export function aliasesAt(url: string): Record<string, string> {
  return {
    token_endpoint: url + endpoints.token,
    revocation_endpoint: url + endpoints.revocation,
    introspection_endpoint: url + endpoints.introspection,
    pushed_authorization_request_endpoint: url + endpoints.pushed_authorization,
  }
}

function socketOf({ req }: Pick<Context, 'req'>): TLSSocket | undefined {
  return req.socket instanceof TLSSocket ? req.socket : undefined
}
