import Type, { type Static } from 'typebox'
import { closed, nullableString, stringEnum } from './common.ts'
import { AuthMethod } from './connections.ts'

/*
 * The shape of the catalog's table and of what the API tells of it: they are one, so that what is declared of a provider
 * can be looked up. URLs may hold a {variable}. A path leads into a JSON answer: `authed_user.scope`, `0.name`.
 */

const record = (description: string) =>
  Type.Unsafe<Record<string, string>>({ type: 'object', additionalProperties: { type: 'string' }, description })

export const variableNames = ['tenant', 'subdomain', 'region'] as const
export type VariableName = (typeof variableNames)[number]

const Variable = Type.Object(
  {
    name: stringEnum(variableNames),
    description: Type.String(),
    pattern: Type.String({ description: 'What the whole value matches; it becomes part of a URL' }),
    default: Type.Optional(Type.String({ description: 'Taken where none is given' })),
    example: Type.String(),
  },
  closed,
)
export type ProviderVariable = Static<typeof Variable>

const Scopes = Type.Object(
  {
    separator: stringEnum([' ', ','], 'Between the scopes of a request; a space in RFC 6749'),
    answer_separator: Type.Optional(stringEnum([' ', ','], 'Between those of an answer, where it is another')),
    parameter: Type.Optional(
      Type.String({ description: 'Of the authorization request, where it is not `scope`' }),
    ),
    default: Type.Array(Type.String(), { description: 'Asked for where an authorization names none' }),
    offline: Type.Optional(
      Type.String({ description: 'Always asked for, because without it there is no refresh token' }),
    ),
  },
  closed,
)

const TokenAnswer = Type.Object(
  {
    token_path: Type.Optional(
      Type.String({ description: 'To the object that holds the tokens, where there is one' }),
    ),
    token_types: Type.Optional(
      Type.Array(Type.String(), { description: 'Values of token_type that mean Bearer there' }),
    ),
    expiry: Type.Optional(
      Type.Object(
        { field: Type.String() },
        {
          ...closed,
          description: 'Where it says when the token ends, as a date in ISO 8601, if not by expires_in in seconds',
        },
      ),
    ),
    error_path: Type.Optional(Type.String({ description: 'To the error code, where it is not `error`' })),
    error_description_path: Type.Optional(Type.String({ description: 'Likewise of its description' })),
  },
  closed,
)

const RefreshToken = Type.Object(
  {
    rotation: stringEnum(
      ['always', 'sometimes', 'never', 'none', 'undocumented'],
      'Whether a refresh ends the refresh token and gives another. none: it gives no refresh tokens',
    ),
    idle: Type.Optional(
      Type.Integer({ description: 'Seconds after which it ends unless it is used, where answers do not say' }),
    ),
    note: Type.Optional(Type.String()),
  },
  closed,
)

const RevocationStyle = Type.Object(
  {
    method: stringEnum(['POST', 'DELETE']),
    authentication: stringEnum(
      ['client_secret_basic', 'token', 'client_secret_header'],
      'token: the token itself in the Authorization header; client_secret_header: the secret there, and the client id in the body',
    ),
    scheme: Type.Optional(Type.String({ description: 'Of that header, where it is not Bearer' })),
    field: Type.Optional(Type.String({ description: 'That holds the token' })),
    body: stringEnum(['form', 'json', 'none']),
    account_field: Type.Optional(
      Type.String({ description: 'That holds the id of the account, which is looked up with the token' }),
    ),
    gone: Type.Optional(Type.Array(Type.String(), { description: 'Errors that say that it is revoked already' })),
    gone_statuses: Type.Optional(Type.Array(Type.Integer(), { description: 'Likewise statuses' })),
  },
  {
    ...closed,
    description:
      'How grants are ended at the revocation endpoint, by the access token, where it is not by RFC 7009',
  },
)
export type RevocationStyle = Static<typeof RevocationStyle>

const AccountLookup = Type.Object(
  {
    source: stringEnum(['userinfo', 'url', 'token_answer'], 'Where the vault asks whose tokens they are'),
    url: Type.Optional(Type.String()),
    method: Type.Optional(stringEnum(['GET', 'POST'])),
    body: Type.Optional(Type.String({ description: 'JSON' })),
    id: Type.Optional(Type.String({ description: 'A path into the answer, as are those that follow' })),
    email: Type.Optional(Type.String()),
    login: Type.Optional(Type.String()),
    name: Type.Optional(Type.String()),
    company: Type.Optional(Type.String()),
  },
  closed,
)
export type AccountLookup = Static<typeof AccountLookup>

const JwtBearer = Type.Object(
  {
    audience: Type.Optional(Type.String({ description: 'The `aud`, where it is not the issuer' })),
    subject: stringEnum(
      ['none', 'required'],
      "Of the application's own tokens. none: the service account itself, without `sub`; required: an account must be named",
    ),
    scope_claim: Type.Boolean({ description: 'Whether the scopes go into the assertion' }),
    lifetime: Type.Integer({ description: 'Seconds that an assertion may be valid for' }),
  },
  { ...closed, description: 'What it asks of the assertions of service accounts (RFC 7523)' },
)

export const Provider = Type.Object(
  {
    id: Type.String({ pattern: '^[a-z0-9]+(-[a-z0-9]+)*$' }),
    name: Type.String(),
    documentation: Type.String({ description: 'Where the facts are from' }),
    read: Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$', description: 'When they were read there' }),
    unverified: Type.Optional(
      Type.Array(Type.String(), {
        description: "Fields that rest on common knowledge and were not found in the provider's own documentation",
      }),
    ),
    provider_url: Type.String({ description: 'What to give as provider_url; may hold a {variable}' }),
    other_urls: Type.Optional(Type.Array(Type.String(), { description: 'By which it is recognized, too' })),
    variables: Type.Optional(Type.Array(Variable)),
    issuer_url: nullableString({ description: 'null where it names no issuer' }),
    issuer_aliases: Type.Optional(Type.Array(Type.String(), { description: 'Other spellings in ID tokens' })),
    tenant_ids: Type.Optional(record('Tenants that stand for the id of another')),
    endpoints: Type.Object(
      {
        authorization_endpoint: Type.String(),
        token_endpoint: Type.String(),
        revocation_endpoint: Type.Optional(Type.String()),
        introspection_endpoint: Type.Optional(Type.String()),
        userinfo_endpoint: Type.Optional(Type.String()),
        jwks_uri: Type.Optional(Type.String()),
        device_authorization_endpoint: Type.Optional(Type.String()),
      },
      closed,
    ),
    token_endpoint_auth_method: AuthMethod,
    pkce: stringEnum(
      ['required', 'supported', 'undocumented'],
      'Whether it checks PKCE (RFC 7636), which the vault sends always: who does not know it overlooks it',
    ),
    grant_types: Type.Optional(
      Type.Array(stringEnum(['client_credentials']), {
        description: 'What it documents besides the authorization code and refresh tokens',
      }),
    ),
    drops_nonce: Type.Optional(Type.Boolean({ description: 'Whether its ID tokens lack the nonce' })),
    scopes: Scopes,
    authorization_parameters: Type.Optional(record('Sent with authorization requests')),
    token_parameters: Type.Optional(record('Sent when a code is exchanged')),
    refresh_parameters: Type.Optional(record('Sent with refreshes')),
    refresh_redirect_uri: Type.Optional(
      Type.Boolean({ description: 'Whether a refresh names the redirect URI of its authorization' }),
    ),
    jwt_bearer: Type.Optional(JwtBearer),
    body_format: Type.Optional(stringEnum(['json'], 'Of requests to the token endpoint, where it is not a form')),
    token_answer: Type.Optional(TokenAnswer),
    token_lifetime: Type.Optional(
      Type.Integer({
        description: 'Seconds that its access tokens live, where an answer does not say; 0 where they have no end',
      }),
    ),
    refresh_token: RefreshToken,
    errors: Type.Optional(
      Type.Unsafe<Record<string, 'invalid_grant' | 'client' | 'passing' | 'unrecognized'>>({
        type: 'object',
        additionalProperties: { type: 'string', enum: ['invalid_grant', 'client', 'passing', 'unrecognized'] },
        description: 'What its own error codes mean',
      }),
    ),
    revocation: Type.Optional(RevocationStyle),
    callback_metadata: Type.Optional(record('Parameters of the callback that are kept, and under which name')),
    token_metadata: Type.Optional(record('Paths into the token answer, likewise')),
    account: Type.Optional(AccountLookup),
    registration: Type.Object(
      {
        url: Type.String({ description: 'Where to register an application' }),
        redirect_uri: Type.String({ description: 'What to enter there for authconn authorize' }),
        note: Type.Optional(Type.String()),
      },
      closed,
    ),
  },
  closed,
)
export type Provider = Static<typeof Provider>

export const ProviderList = Type.Object({ providers: Type.Array(Provider) }, closed)
