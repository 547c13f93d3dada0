import Type, { type Static, type TSchema } from 'typebox'
import { errorCodes } from '../errors.ts'
import { permissionNames } from '../permissions.ts'

/** A value or null, as the JSON Schema type list that serializers take without trying alternatives. */
const nullableString = (options: Record<string, unknown> = {}) =>
  Type.Unsafe<string | null>({ type: ['string', 'null'], ...options })

const closed = { additionalProperties: false }
const timestamp = Type.String({ format: 'date-time', description: 'ISO 8601, UTC' })
const nullableTimestamp = nullableString({ format: 'date-time', description: 'ISO 8601, UTC, or null' })
/*
 * Text that others write is free of control characters, which a database or a terminal may not take as they are, and
 * of lone surrogates, which have no UTF-8. A URL is free of white space too: a parser would trim it, and what is
 * stored would not be what was checked.
 */
const textPattern = '^[^\\p{Cc}\\p{Cs}]+$'
const urlPattern = '^[^\\p{Cc}\\p{Cf}\\p{Cs}\\p{Z}]+$'
const urlText = (description: string) =>
  Type.String({
    minLength: 1,
    maxLength: 2048,
    pattern: urlPattern,
    description: `${description}, without white space or control characters`,
  })
const url = Type.String({
  format: 'uri',
  maxLength: 2048,
  pattern: urlPattern,
  description: 'An absolute URL, without white space or control characters',
})
const stringEnum = <const T extends string>(values: readonly T[], description?: string) =>
  Type.Unsafe<T>({ type: 'string', enum: [...values], ...(description ? { description } : {}) })

export const ConnectionName = Type.String({
  pattern: '^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$',
  description: 'Lowercase letters, digits and hyphens, 1 to 63, not starting or ending with a hyphen',
})

/** `format` alone would let `urn:uuid:…` pass, which a database does not take. */
export const Id = Type.String({
  format: 'uuid',
  pattern: '^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$',
  description: 'A UUID',
})

const cursor = { maxLength: 255, description: '`next` of the page before' }
export const Cursor = Type.String({ ...cursor, minLength: 1, pattern: textPattern })
/** Empty after a page that ended with the application grant, whose subject is empty. */
export const GrantCursor = Type.String({ ...cursor, pattern: '^[^\\p{Cc}\\p{Cs}]*$' })

/** The pattern asks for a character, too: what is said of it names both rules. */
export const Subject = Type.String({
  maxLength: 255,
  pattern: textPattern,
  description:
    '1 to 255 characters without control characters: whose account the tokens act for; left out for the application itself',
})

export const Scopes = Type.Array(
  // RFC 6749 section 3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
  Type.String({
    pattern: '^[\\x21\\x23-\\x5b\\x5d-\\x7e]+$',
    maxLength: 512,
    description: 'Visible ASCII characters but " and \\, up to 512',
  }),
  { maxItems: 100, uniqueItems: true },
)

export const AuthMethod = stringEnum(
  ['client_secret_basic', 'client_secret_post'],
  'How the vault authenticates to the token endpoint (RFC 6749 section 2.3.1)',
)
export type AuthMethod = Static<typeof AuthMethod>

export const GrantStatus = stringEnum(
  ['pending', 'active', 'expired', 'revoked'],
  'pending: never authorized; expired: someone must authorize again',
)
export type GrantStatus = Static<typeof GrantStatus>

const endpointUrls = {
  authorization_endpoint: url,
  token_endpoint: url,
  revocation_endpoint: Type.Optional(url),
  introspection_endpoint: Type.Optional(url),
  userinfo_endpoint: Type.Optional(url),
  jwks_uri: Type.Optional(url),
}

export const ProviderEndpoints = Type.Object(endpointUrls, {
  ...closed,
  description: 'By their names in RFC 8414 and OpenID Connect Discovery',
})
export type ProviderEndpoints = Static<typeof ProviderEndpoints>

export const NewConnection = Type.Object(
  {
    name: ConnectionName,
    type: Type.Optional(stringEnum(['TYPE_OAUTH2'])),
    provider_url: urlText("The provider's issuer, base URL or authorization endpoint"),
    issuer_url: Type.Optional(urlText('The issuer, where it is not the provider URL')),
    client_id: Type.String({
      minLength: 1,
      maxLength: 1024,
      pattern: '^[\\x20-\\x7e]+$',
      description: 'Visible ASCII characters and spaces (RFC 6749 appendix A.1)',
    }),
    client_secret: Type.String({
      minLength: 1,
      maxLength: 4096,
      pattern: textPattern,
      writeOnly: true,
      description: 'Without line breaks or other control characters',
    }),
    token_endpoint_auth_method: Type.Optional(AuthMethod),
    authorization_endpoint: Type.Optional(url),
    token_endpoint: Type.Optional(url),
    revocation_endpoint: Type.Optional(url),
    introspection_endpoint: Type.Optional(url),
    userinfo_endpoint: Type.Optional(url),
    jwks_uri: Type.Optional(url),
  },
  closed,
)
export type NewConnection = Static<typeof NewConnection>

const LastError = Type.Unsafe<{ code: string; detail: string; at: string } | null>({
  type: ['object', 'null'],
  properties: {
    code: { type: 'string', description: 'One of the error codes of this API' },
    detail: { type: 'string' },
    at: { type: 'string', format: 'date-time' },
  },
  required: ['code', 'detail', 'at'],
  additionalProperties: false,
  description: 'Why the last refresh failed; null when it did not',
})

const grantState = {
  status: GrantStatus,
  scope: nullableString({ description: 'The granted scope, space-separated (RFC 6749 section 3.3)' }),
  expires_at: nullableTimestamp,
  refreshable: Type.Boolean({ description: 'Whether the vault holds a refresh token' }),
  last_refreshed_at: nullableTimestamp,
  last_error: LastError,
}

export const Connection = Type.Object(
  {
    name: ConnectionName,
    type: stringEnum(['TYPE_OAUTH2']),
    provider: nullableString({ description: 'Id in the provider catalog, null when it is not from there' }),
    provider_url: Type.String(),
    issuer_url: nullableString(),
    client_id: Type.String(),
    token_endpoint_auth_method: AuthMethod,
    endpoints: ProviderEndpoints,
    ...grantState,
    pending_revocations: Type.Integer({
      description: 'Revocations that the provider has not done yet; the vault goes on trying',
    }),
    created_at: timestamp,
    updated_at: timestamp,
  },
  { ...closed, description: "A named OAuth client at a provider, with its application grant's state" },
)
export type Connection = Static<typeof Connection>

export const ConnectionList = Type.Object(
  {
    connections: Type.Array(Connection),
    next: nullableString({ description: 'Give it as `after` for the next page; null on the last one' }),
  },
  closed,
)

export const Grant = Type.Object(
  { subject: nullableString({ description: 'null for the application itself' }), ...grantState },
  { ...closed, description: 'The state of the tokens of one connection and subject' },
)
export type Grant = Static<typeof Grant>

export const GrantList = Type.Object({ grants: Type.Array(Grant), next: nullableString() }, closed)

export const Token = Type.Object(
  {
    access_token: Type.String(),
    token_type: Type.String({ description: 'Bearer, in nearly all cases' }),
    expires_at: nullableString({
      format: 'date-time',
      description: 'When the access token ends, ISO 8601 UTC; null when the provider set no end',
    }),
    scope: Type.Optional(Type.String()),
    refresh_token: Type.Optional(Type.String({ description: 'Only for callers with refresh_token:read' })),
  },
  closed,
)
export type Token = Static<typeof Token>

export const NewAuthorization = Type.Object(
  {
    scopes: Scopes,
    redirect_uri: Type.String({ minLength: 1, maxLength: 2048 }),
    subject: Type.Optional(Subject),
    timeout: Type.Optional(
      Type.Integer({ minimum: 10, maximum: 3600, default: 600, description: 'Seconds until it expires' }),
    ),
  },
  closed,
)
export type NewAuthorization = Static<typeof NewAuthorization>

export const AuthorizationStatus = stringEnum(['pending', 'completed', 'failed', 'expired'])
export type AuthorizationStatus = Static<typeof AuthorizationStatus>

const authorizationFields = {
  id: Type.String({ format: 'uuid' }),
  connection: ConnectionName,
  subject: nullableString(),
  status: AuthorizationStatus,
  redirect_uri: Type.String(),
  scopes: Type.Array(Type.String()),
  failure: nullableString({ description: 'Why it failed, in words; null otherwise' }),
  expires_at: timestamp,
}

export const Authorization = Type.Object(authorizationFields, closed)
export type Authorization = Static<typeof Authorization>

export const StartedAuthorization = Type.Object(
  {
    ...authorizationFields,
    authorization_url: Type.String({ description: 'Open it in the browser of the person who consents' }),
  },
  closed,
)
export type StartedAuthorization = Static<typeof StartedAuthorization>

export const CompletedAuthorization = Type.Object({ ...authorizationFields, grant: Grant }, closed)
export type CompletedAuthorization = Static<typeof CompletedAuthorization>

export const Callback = Type.Object(
  {
    redirected_url: Type.String({
      minLength: 1,
      maxLength: 16384,
      description: 'The whole URL to which the provider sent the browser',
    }),
  },
  closed,
)

export const Revocation = Type.Object(
  {
    connection: ConnectionName,
    subject: nullableString(),
    status: GrantStatus,
    upstream: stringEnum(
      ['revoked', 'retrying', 'unsupported', 'nothing_to_revoke', 'failed'],
      'What happened at the provider (RFC 7009). retrying: the vault goes on trying; failed: it cannot, see the detail',
    ),
    detail: nullableString({ description: 'Why the revocation at the provider failed; null otherwise' }),
  },
  closed,
)
export type Revocation = Static<typeof Revocation>

export const DeletedConnection = Type.Object({ name: ConnectionName, revocations: Type.Array(Revocation) }, closed)
export type DeletedConnection = Static<typeof DeletedConnection>

export const PermissionName = stringEnum(permissionNames)

const callerFields = {
  name: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$' }),
  permissions: Type.Array(PermissionName, { minItems: 1, uniqueItems: true }),
  connections: Type.Array(Type.String({ pattern: '^[a-z0-9*-]{1,63}$' }), {
    minItems: 1,
    maxItems: 100,
    description: 'Connection names; * stands for any number of characters',
  }),
  subjects: Type.Unsafe<string[] | null>({
    type: ['array', 'null'],
    items: {
      type: 'string',
      minLength: 1,
      maxLength: 255,
      pattern: textPattern,
      description: '1 to 255 characters without control characters',
    },
    maxItems: 100,
    description:
      'Subjects it may act for besides the application itself; * stands for any number of characters; null for all',
  }),
}

export const NewCaller = Type.Object(
  {
    name: callerFields.name,
    permissions: callerFields.permissions,
    connections: Type.Optional(callerFields.connections),
    subjects: Type.Optional(callerFields.subjects),
    expires_at: Type.Optional(timestamp),
  },
  closed,
)
export type NewCaller = Static<typeof NewCaller>

const callerState = {
  id: Type.String({ format: 'uuid' }),
  ...callerFields,
  created_at: timestamp,
  expires_at: nullableTimestamp,
  revoked_at: nullableTimestamp,
}

export const Caller = Type.Object(callerState, closed)
export type Caller = Static<typeof Caller>

export const CreatedCaller = Type.Object(
  { ...callerState, api_key: Type.String({ description: 'Shown this once; the vault keeps only its hash' }) },
  closed,
)
export type CreatedCaller = Static<typeof CreatedCaller>

export const CallerList = Type.Object({ callers: Type.Array(Caller), next: nullableString() }, closed)

export const Provider = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    provider_url: Type.String({ description: 'What to give as provider_url; may hold a {variable}' }),
    issuer_url: nullableString(),
    documentation: Type.String(),
  },
  closed,
)
export type Provider = Static<typeof Provider>

export const ProviderList = Type.Object({ providers: Type.Array(Provider) }, closed)

export const Challenge = Type.String({
  pattern: '^[A-Za-z0-9_-]{16,128}$',
  description: '16 to 128 letters, digits, hyphens and underscores',
})

export const Health = Type.Object(
  {
    status: stringEnum(['ok']),
    proof: Type.Optional(
      Type.String({
        description:
          'Where a challenge was given: HMAC-SHA-256 of it in base64url, under the proof key of the credentials file',
      }),
    ),
  },
  closed,
)

export const Problem = Type.Object(
  {
    type: Type.String({ description: 'Identifies the code; the last segment is the code itself' }),
    title: Type.String(),
    status: Type.Integer(),
    code: stringEnum(errorCodes),
    detail: Type.String({ description: 'What went wrong this time' }),
    hint: Type.String({ description: 'What to do next' }),
    request_id: Type.String(),
    errors: Type.Optional(
      Type.Array(
        Type.Object(
          {
            pointer: Type.String({ description: 'Where: part of the request and JSON Pointer (RFC 6901)' }),
            detail: Type.String(),
          },
          closed,
        ),
      ),
    ),
  },
  { ...closed, description: 'RFC 9457 problem details' },
)
export type Problem = Static<typeof Problem>

/** The schemas that OpenAPI lists by name. */
export const namedSchemas: Readonly<Record<string, TSchema>> = {
  NewConnection,
  Connection,
  ConnectionList,
  Grant,
  GrantList,
  Token,
  NewAuthorization,
  StartedAuthorization,
  Authorization,
  CompletedAuthorization,
  Callback,
  Revocation,
  DeletedConnection,
  NewCaller,
  Caller,
  CreatedCaller,
  CallerList,
  Provider,
  ProviderList,
  Health,
  Problem,
}
