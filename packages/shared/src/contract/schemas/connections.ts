import Type, { type Static } from 'typebox'
import { ClientKey, NewClientKey } from './client-keys.ts'
import {
  ConnectionName,
  closed,
  nullableString,
  stringEnum,
  textPattern,
  timestamp,
  url,
  urlText,
} from './common.ts'
import { grantState, Revocation } from './grants.ts'
import {
  GrantType,
  NewAssertion,
  RequestedScopes,
  Resources,
  requestText,
  TokenRequest,
} from './token-requests.ts'

export const AuthMethod = stringEnum(
  [
    'client_secret_basic',
    'client_secret_post',
    'private_key_jwt',
    'tls_client_auth',
    'self_signed_tls_client_auth',
    'none',
  ],
  'How the vault authenticates to the token endpoint: by the client secret (RFC 6749 section 2.3.1), by a signed assertion (RFC 7523) or by a certificate in TLS (RFC 8705); none with the grant type jwt_bearer only, whose assertion says who asks',
)
export type AuthMethod = Static<typeof AuthMethod>

const endpointUrls = {
  authorization_endpoint: Type.Optional(url),
  token_endpoint: url,
  revocation_endpoint: Type.Optional(url),
  introspection_endpoint: Type.Optional(url),
  userinfo_endpoint: Type.Optional(url),
  jwks_uri: Type.Optional(url),
  pushed_authorization_request_endpoint: Type.Optional(url),
  device_authorization_endpoint: Type.Optional(url),
}

export const ProviderEndpoints = Type.Object(
  {
    ...endpointUrls,
    mtls_endpoint_aliases: Type.Optional(
      Type.Object(
        {
          token_endpoint: Type.Optional(url),
          revocation_endpoint: Type.Optional(url),
          introspection_endpoint: Type.Optional(url),
          pushed_authorization_request_endpoint: Type.Optional(url),
          device_authorization_endpoint: Type.Optional(url),
        },
        {
          ...closed,
          description: 'Used instead by clients that authenticate by a certificate (RFC 8705 section 5)',
        },
      ),
    ),
  },
  {
    ...closed,
    description: 'By their names in RFC 8414, RFC 8628, RFC 8705, RFC 9126 and OpenID Connect Discovery',
  },
)
export type ProviderEndpoints = Static<typeof ProviderEndpoints>

const clientSecret = Type.String({
  minLength: 1,
  maxLength: 4096,
  pattern: textPattern,
  writeOnly: true,
  description: 'Without line breaks or other control characters',
})

const providerVariable = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: '^[A-Za-z0-9.-]+$',
  description: 'Letters, digits, dots and hyphens: for providers whose URLs differ by it, as the catalog says',
})

const Registration = Type.Unsafe<{ url: string; redirect_uri: string; note: string | null } | null>({
  type: ['object', 'null'],
  properties: {
    url: { type: 'string' },
    redirect_uri: { type: 'string' },
    note: { type: ['string', 'null'] },
  },
  required: ['url', 'redirect_uri', 'note'],
  additionalProperties: false,
  description:
    "Where the application is registered, and with which redirect URI; null where the catalog doesn't say",
})

export const NewConnection = Type.Object(
  {
    name: ConnectionName,
    type: Type.Optional(stringEnum(['TYPE_OAUTH2'])),
    provider: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 63,
        pattern: '^[a-z0-9-]+$',
        description: 'Its id in the catalog, in the place of the provider URL',
      }),
    ),
    provider_url: Type.Optional(urlText("The provider's issuer, base URL or authorization endpoint")),
    tenant: Type.Optional(providerVariable),
    subdomain: Type.Optional(providerVariable),
    region: Type.Optional(providerVariable),
    issuer_url: Type.Optional(urlText('The issuer, where it is not the provider URL')),
    client_id: Type.String({
      minLength: 1,
      maxLength: 1024,
      pattern: '^[\\x20-\\x7e]+$',
      description: 'Visible ASCII characters and spaces (RFC 6749 appendix A.1)',
    }),
    client_secret: Type.Optional(clientSecret),
    client_key: Type.Optional(NewClientKey),
    token_endpoint_auth_method: Type.Optional(AuthMethod),
    grant_type: Type.Optional(GrantType),
    scopes: Type.Optional(RequestedScopes),
    audience: Type.Optional(requestText('Sent as `audience`, which some providers ask for')),
    resource: Type.Optional(Resources),
    assertion: Type.Optional(NewAssertion),
    authorization_endpoint: Type.Optional(url),
    token_endpoint: Type.Optional(url),
    revocation_endpoint: Type.Optional(url),
    introspection_endpoint: Type.Optional(url),
    userinfo_endpoint: Type.Optional(url),
    jwks_uri: Type.Optional(url),
    pushed_authorization_request_endpoint: Type.Optional(url),
    device_authorization_endpoint: Type.Optional(url),
  },
  {
    ...closed,
    description:
      'With either a provider or a provider_url, and with either a client_secret or a client_key. `scopes`, `audience`, `resource` and `assertion` are for the grant types other than authorization_code.',
  },
)
export type NewConnection = Static<typeof NewConnection>

export const ConnectionUpdate = Type.Object(
  {
    client_secret: Type.Optional(clientSecret),
    client_key: Type.Optional(NewClientKey),
    overlap: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 2_592_000,
        description:
          'With a new client secret or key: seconds for which the former one is still used where the provider refuses the new one; 7 days unless given, 0 to forget it at once',
      }),
    ),
    token_endpoint_auth_method: Type.Optional(AuthMethod),
  },
  { ...closed, minProperties: 1, description: 'What is left out stays as it is' },
)
export type ConnectionUpdate = Static<typeof ConnectionUpdate>

export const Connection = Type.Object(
  {
    name: ConnectionName,
    type: stringEnum(['TYPE_OAUTH2']),
    provider: nullableString({ description: 'Id in the provider catalog, null when it is not from there' }),
    provider_url: Type.String(),
    issuer_url: nullableString(),
    client_id: Type.String(),
    token_endpoint_auth_method: AuthMethod,
    client_key: ClientKey,
    grant_type: GrantType,
    token_request: TokenRequest,
    former_client_secret_until: nullableString({
      format: 'date-time',
      description:
        'Until when the client secret or key before the last update is kept for providers that refuse the new one',
    }),
    endpoints: ProviderEndpoints,
    registration: Registration,
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

export const DeletedConnection = Type.Object({ name: ConnectionName, revocations: Type.Array(Revocation) }, closed)
export type DeletedConnection = Static<typeof DeletedConnection>
