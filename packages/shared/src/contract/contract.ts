import Type from 'typebox'
import type { ErrorCode } from '../errors.ts'
import type { OperationName } from '../routes.ts'
import type { Endpoint, EndpointTypes } from './endpoint.ts'
import * as schema from './schemas.ts'

const closed = { additionalProperties: false }
const byName = Type.Object({ name: schema.ConnectionName }, closed)
const byId = Type.Object({ id: schema.Id }, closed)
const bySubject = Type.Object({ subject: Type.Optional(schema.Subject) }, closed)
const limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 }))
const page = Type.Object({ limit, after: Type.Optional(schema.Cursor) }, closed)
const pageOfEvents = Type.Object(
  { limit, after: Type.Optional(schema.Id), subject: Type.Optional(schema.Subject) },
  closed,
)
const tokenQuery = Type.Object(
  {
    subject: Type.Optional(schema.Subject),
    min_ttl: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 86_400,
        description:
          'Seconds that the token must still be valid for. Unless given, 60 or a quarter of the life of the token, and less only where nothing better can be had.',
      }),
    ),
    force_refresh: Type.Optional(
      Type.Boolean({
        description:
          'Refreshes although the token is good, unless it was refreshed less than 10 seconds ago. Callers who ask at the same time share one refresh.',
      }),
    ),
    rejected_version: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 2_147_483_647,
        description:
          'The `version` of a token that an API refused: refreshes as `force_refresh` does if it is still the current one, and otherwise answers with the current one.',
      }),
    ),
    max_wait: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 60,
        description: 'Seconds to wait for a refresh before the answer is `refresh_in_progress`; 15 unless given',
      }),
    ),
  },
  closed,
)
const auditQuery = Type.Object(
  {
    limit,
    after: Type.Optional(
      Type.String({
        pattern: '^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}:[0-9]{1,15}$',
        description: '`next` of the page before',
      }),
    ),
    since: Type.Optional(Type.String({ format: 'date-time' })),
    until: Type.Optional(Type.String({ format: 'date-time' })),
    connection: Type.Optional(schema.ConnectionName),
    caller: Type.Optional(
      Type.String({
        maxLength: 63,
        pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]*$',
        description: 'The name of a caller',
      }),
    ),
    outcome: Type.Optional(schema.AuditOutcome),
  },
  closed,
)
const callersQuery = Type.Object(
  {
    ...page.properties,
    trust: Type.Optional(schema.TrustName),
  },
  closed,
)
const byTrustName = Type.Object({ name: schema.TrustName }, closed)
const pageOfGrants = Type.Object({ limit, after: Type.Optional(schema.GrantCursor) }, closed)

/** What an operation may answer that seals or opens something with a data key that is not unwrapped yet. */
const keyServiceErrors = ['kms_unavailable', 'kms_refused'] as const satisfies readonly ErrorCode[]

/** Every operation of the vault's API. Validation, serialization, OpenAPI and the clients' types come from here. */
export const contract = {
  getHealth: {
    summary: 'Whether the process is alive',
    description:
      'To a client on the same machine it can prove that it is the vault that wrote the credentials file: see `challenge`.',
    tag: 'Operations',
    permission: 'public',
    query: Type.Object({ challenge: Type.Optional(schema.Challenge) }, closed),
    success: { status: 200, description: 'It is', schema: schema.Health },
    errors: [],
  },
  getReadiness: {
    summary: 'Whether the vault can serve: it is not stopping, and its database answers',
    tag: 'Operations',
    permission: 'public',
    success: { status: 200, description: 'It can', schema: schema.Health },
    errors: ['not_ready'],
  },
  listProviders: {
    summary: 'List the providers known by name',
    tag: 'Connections',
    permission: 'connection:read',
    success: { status: 200, description: 'The catalog', schema: schema.ProviderList },
    errors: [],
  },
  createConnection: {
    summary: 'Create a connection',
    description:
      'The provider is recognized from the catalog by `provider_url`, otherwise discovered (OpenID Connect Discovery, RFC 8414), otherwise taken from the endpoints given. Neither client secret nor private key can be read back by anybody.',
    tag: 'Connections',
    permission: 'connection:manage',
    body: schema.NewConnection,
    success: { status: 201, description: 'The connection', schema: schema.Connection },
    errors: [
      'connection_exists',
      'client_key_invalid',
      'pkce_unsupported',
      'provider_url_invalid',
      'provider_address_refused',
      'provider_host_not_allowed',
      'discovery_failed',
      'issuer_mismatch',
      'auth_method_unsupported',
      ...keyServiceErrors,
    ],
  },
  listConnections: {
    summary: 'List connections, by name',
    tag: 'Connections',
    permission: 'connection:read',
    query: page,
    success: { status: 200, description: 'A page of connections', schema: schema.ConnectionList },
    errors: [],
  },
  getConnection: {
    summary: "Get a connection with its application grant's state",
    tag: 'Connections',
    permission: 'connection:read',
    params: byName,
    success: { status: 200, description: 'The connection', schema: schema.Connection },
    errors: ['connection_not_found'],
  },
  updateConnection: {
    summary: 'Change the client secret or key, or how the client authenticates',
    description:
      'After a new client secret the provider is asked with it first, and with the former one only where it answers that the client is invalid. Grants that had stopped over a refused client are refreshed again.',
    tag: 'Connections',
    permission: 'connection:manage',
    params: byName,
    body: schema.ConnectionUpdate,
    success: { status: 200, description: 'The connection', schema: schema.Connection },
    errors: ['connection_not_found', 'client_key_invalid', 'sealed_value_damaged', ...keyServiceErrors],
  },
  deleteConnection: {
    summary: 'Delete a connection with all its grants, revoking them at the provider',
    tag: 'Connections',
    permission: 'connection:manage',
    params: byName,
    success: {
      status: 200,
      description: 'It is gone; what happened at the provider, for each grant that held tokens (the first 100)',
      schema: schema.DeletedConnection,
    },
    errors: ['connection_not_found', ...keyServiceErrors],
  },
  listGrants: {
    summary: 'List the grants of a connection that the caller may act for, by subject',
    tag: 'Connections',
    permission: 'connection:read',
    params: byName,
    query: pageOfGrants,
    success: { status: 200, description: 'A page of grants', schema: schema.GrantList },
    errors: ['connection_not_found'],
  },
  createGrant: {
    summary: 'Fetch the first token of a grant that needs nobody to consent',
    description:
      'For connections with the grant type client_credentials or jwt_bearer: asks the provider at once, also after a revocation or a refusal. With jwt_bearer a subject names the account that the tokens act for.',
    tag: 'Connections',
    permission: 'connection:authorize',
    params: byName,
    body: schema.NewGrant,
    success: { status: 200, description: 'The grant, with a token; none is in the answer', schema: schema.Grant },
    errors: [
      'connection_not_found',
      'grant_type_mismatch',
      'grant_revoked',
      'client_rejected',
      'token_request_rejected',
      'provider_unavailable',
      'provider_answer_invalid',
      'provider_address_refused',
      'provider_host_not_allowed',
      'refresh_in_progress',
      'sealed_value_damaged',
      ...keyServiceErrors,
    ],
  },
  listEvents: {
    summary: 'List what happened to the grants of a connection, newest first',
    description: 'Of the grants that the caller may act for. Events are kept for a limited time.',
    tag: 'Connections',
    permission: 'connection:read',
    params: byName,
    query: pageOfEvents,
    success: { status: 200, description: 'A page of events', schema: schema.EventList },
    errors: ['connection_not_found'],
  },
  getToken: {
    summary: 'Fetch a fresh access token',
    description:
      'Refreshes through the provider when due. The answer must not be stored: it comes with Cache-Control: no-store.',
    tag: 'Tokens',
    permission: 'token:read',
    params: byName,
    query: tokenQuery,
    success: { status: 200, description: 'A token that is valid now', schema: schema.Token },
    errors: [
      'connection_not_found',
      'grant_pending',
      'grant_expired',
      'grant_revoked',
      'client_rejected',
      'token_request_rejected',
      'provider_unavailable',
      'provider_answer_invalid',
      'provider_address_refused',
      'provider_host_not_allowed',
      'refresh_in_progress',
      'min_ttl_unreachable',
      'grant_not_refreshable',
      'sealed_value_damaged',
      ...keyServiceErrors,
    ],
  },
  revokeGrant: {
    summary: 'Revoke the tokens of a connection, here at once and at the provider where it can (RFC 7009)',
    tag: 'Connections',
    permission: 'connection:manage',
    params: byName,
    body: bySubject,
    success: {
      status: 200,
      description: 'Revoked here; what happened at the provider',
      schema: schema.Revocation,
    },
    errors: ['connection_not_found', 'grant_not_found', ...keyServiceErrors],
  },
  startAuthorization: {
    summary: 'Begin the consent flow',
    description:
      'The vault makes state, nonce and the PKCE pair and keeps the verifier. Open `authorization_url` in a browser and pass the URL it is redirected to to `completeAuthorization`.',
    tag: 'Authorizations',
    permission: 'connection:authorize',
    params: byName,
    body: schema.NewAuthorization,
    success: { status: 201, description: 'A pending authorization', schema: schema.StartedAuthorization },
    errors: [
      'connection_not_found',
      'grant_type_mismatch',
      'redirect_uri_not_allowed',
      'authorization_request_rejected',
      'client_rejected',
      'provider_unavailable',
      'provider_answer_invalid',
      'provider_address_refused',
      'provider_host_not_allowed',
      'sealed_value_damaged',
      ...keyServiceErrors,
    ],
  },
  startDeviceAuthorization: {
    summary: 'Begin the consent flow for a machine without a browser (RFC 8628)',
    description:
      'Show `user_code` and `verification_uri` to the person who consents. The vault asks the provider for the outcome by itself, as often as that allows; `getAuthorization` tells it.',
    tag: 'Authorizations',
    permission: 'connection:authorize',
    params: byName,
    body: schema.NewDeviceAuthorization,
    success: {
      status: 201,
      description: 'A pending authorization',
      schema: schema.StartedDeviceAuthorization,
    },
    errors: [
      'connection_not_found',
      'grant_type_mismatch',
      'device_authorization_unsupported',
      'authorization_request_rejected',
      'client_rejected',
      'provider_unavailable',
      'provider_answer_invalid',
      'provider_address_refused',
      'provider_host_not_allowed',
      'sealed_value_damaged',
      ...keyServiceErrors,
    ],
  },
  getAuthorization: {
    summary: 'Get the state of an authorization that this caller began',
    tag: 'Authorizations',
    permission: 'connection:authorize',
    params: byId,
    success: { status: 200, description: 'The authorization', schema: schema.Authorization },
    errors: ['authorization_not_found'],
  },
  completeAuthorization: {
    summary: 'Finish the consent flow with the URL the browser was redirected to',
    description:
      'Works once. The vault checks state and issuer (RFC 9207), exchanges the code and seals the tokens.',
    tag: 'Authorizations',
    permission: 'connection:authorize',
    params: byId,
    body: schema.Callback,
    success: {
      status: 200,
      description: 'The tokens are stored; none is in the answer',
      schema: schema.CompletedAuthorization,
    },
    errors: [
      'authorization_not_found',
      'authorization_over',
      'callback_invalid',
      'authorization_denied',
      'issuer_mismatch',
      'code_rejected',
      'client_rejected',
      'id_token_invalid',
      'provider_unavailable',
      'provider_answer_invalid',
      'provider_address_refused',
      'provider_host_not_allowed',
      'sealed_value_damaged',
      ...keyServiceErrors,
    ],
  },
  cancelAuthorization: {
    summary: 'Give up a pending authorization',
    tag: 'Authorizations',
    permission: 'connection:authorize',
    params: byId,
    success: { status: 200, description: 'The authorization', schema: schema.Authorization },
    errors: ['authorization_not_found', 'authorization_over'],
  },
  createCaller: {
    summary: 'Create a caller with an API key',
    description: 'A caller cannot give what it does not hold itself. The key is shown in this answer only.',
    tag: 'Callers',
    permission: 'caller:manage',
    body: schema.NewCaller,
    success: { status: 201, description: 'The caller and its API key', schema: schema.CreatedCaller },
    errors: ['caller_exists'],
  },
  getSelf: {
    summary: 'Tell whose API key this is, what it may do and in which workspace',
    tag: 'Callers',
    permission: 'any',
    success: { status: 200, description: 'The caller', schema: schema.Self },
    errors: [],
  },
  revokeSelf: {
    summary: 'End this API key, which was issued for a token: it is refused from the next request on',
    description: 'For the keys of logins, jobs and pods. Others may be in use elsewhere, and take `revokeCaller`.',
    tag: 'Callers',
    permission: 'any',
    success: { status: 200, description: 'The caller', schema: schema.Caller },
    errors: ['permission_denied'],
  },
  listCallers: {
    summary: 'List callers, by name',
    description: 'With `trust` those that this trust has made from tokens, newest first, in place of the others.',
    tag: 'Callers',
    permission: 'caller:manage',
    query: callersQuery,
    success: { status: 200, description: 'A page of callers', schema: schema.CallerList },
    errors: [],
  },
  rotateCaller: {
    summary: 'Give a caller a new API key; the former one works on for a while',
    tag: 'Callers',
    permission: 'caller:manage',
    params: byId,
    body: schema.CallerRotation,
    success: { status: 200, description: 'The caller and its new API key', schema: schema.CreatedCaller },
    errors: ['caller_not_found'],
  },
  revokeCaller: {
    summary: 'Revoke a caller: its API key is refused from the next request on',
    tag: 'Callers',
    permission: 'caller:manage',
    params: byId,
    success: { status: 200, description: 'The caller', schema: schema.Caller },
    errors: ['caller_not_found'],
  },
  createTrust: {
    summary: 'Trust the OpenID Connect tokens of an issuer that fit',
    description:
      'Whoever presents such a token to `exchangeToken` gets a short-lived API key. A trust gives nothing that its maker does not hold.',
    tag: 'Trusts',
    permission: 'caller:manage',
    body: schema.NewTrust,
    success: { status: 201, description: 'The trust', schema: schema.Trust },
    errors: ['trust_exists', 'provider_address_refused', 'provider_host_not_allowed'],
  },
  listTrusts: {
    summary: 'List trusts, by name',
    tag: 'Trusts',
    permission: 'caller:manage',
    query: page,
    success: { status: 200, description: 'A page of trusts', schema: schema.TrustList },
    errors: [],
  },
  getTrust: {
    summary: 'Show a trust',
    tag: 'Trusts',
    permission: 'caller:manage',
    params: byTrustName,
    success: { status: 200, description: 'The trust', schema: schema.Trust },
    errors: ['trust_not_found'],
  },
  revokeTrust: {
    summary: 'Revoke a trust, and every API key that was issued by it: they are refused from the next request on',
    tag: 'Trusts',
    permission: 'caller:manage',
    params: byTrustName,
    success: { status: 200, description: 'The trust', schema: schema.Trust },
    errors: ['trust_not_found'],
  },
  exchangeToken: {
    summary: 'Exchange an OpenID Connect token for a short-lived API key',
    description:
      'A token exchange (RFC 8693) in JSON. Why a token is refused is told by the audit log of the workspace, and never by the answer. The answer must not be stored.',
    tag: 'Trusts',
    permission: 'public',
    body: schema.TokenExchange,
    success: { status: 200, description: 'The API key', schema: schema.IssuedKey },
    errors: ['identity_refused', 'identity_provider_unavailable'],
  },
  listLogins: {
    summary: 'Tell how people log in to a workspace with an OpenID Connect provider',
    tag: 'Trusts',
    permission: 'public',
    query: schema.loginsQuery,
    success: { status: 200, description: 'Providers to log in with', schema: schema.LoginList },
    errors: [],
  },
  listAudit: {
    summary: 'List what the vault decided in this workspace, newest first',
    description: 'To a caller for some connections and subjects only what concerns those, and what it did itself.',
    tag: 'Audit',
    permission: 'audit:read',
    query: auditQuery,
    success: { status: 200, description: 'A page of records', schema: schema.AuditList },
    errors: [],
  },
  verifyAudit: {
    summary: 'Verify that no record of the audit log was changed, removed, moved or forged',
    description: 'Reads the whole log, of all workspaces, since its records are chained across them.',
    tag: 'Audit',
    permission: 'audit:read',
    body: schema.AuditCheck,
    success: { status: 200, description: 'What was found', schema: schema.AuditReport },
    errors: [],
  },
  createWorkspace: {
    summary: 'Make a workspace and its first administrator',
    tag: 'Workspaces',
    permission: 'vault:operate',
    body: schema.NewWorkspace,
    success: { status: 201, description: 'The workspace', schema: schema.CreatedWorkspace },
    errors: ['workspace_exists', ...keyServiceErrors],
  },
  listWorkspaces: {
    summary: 'List workspaces, by name',
    tag: 'Workspaces',
    permission: 'vault:operate',
    query: page,
    success: { status: 200, description: 'A page of workspaces', schema: schema.WorkspaceList },
    errors: [],
  },
} as const satisfies Record<OperationName, Endpoint>

export type Contract = typeof contract

/** Params, query, body and response of one operation. */
export type Operation<N extends OperationName> = EndpointTypes<Contract[N]>

/** What any operation may answer, beyond its own errors. */
export const commonErrors = [
  'invalid_request',
  'unauthenticated',
  'invalid_api_key',
  'permission_denied',
  'too_many_requests',
  'overloaded',
  'audit_unavailable',
  'database_unavailable',
  'internal_error',
] as const satisfies readonly ErrorCode[]

/** What an operation with a body may answer besides. */
export const bodyErrors = [
  'invalid_json',
  'body_too_large',
  'unsupported_media_type',
] as const satisfies readonly ErrorCode[]
