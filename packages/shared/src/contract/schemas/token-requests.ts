import Type, { type Static } from 'typebox'
import { closed, stringEnum, textPattern, urlText } from './common.ts'

/** How a connection comes by its tokens, and what it asks for where nobody is asked to consent. */

export const GrantType = stringEnum(
  ['authorization_code', 'client_credentials', 'jwt_bearer'],
  'authorization_code: somebody consents, in a browser or with a device code; client_credentials: the client itself (RFC 6749 section 4.4); jwt_bearer: an assertion signed by the private key, as for service accounts (RFC 7523 section 2.1)',
)
export type GrantType = Static<typeof GrantType>

const scope = Type.String({
  // RFC 6749 section 3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
  pattern: '^[\\x21\\x23-\\x5b\\x5d-\\x7e]+$',
  maxLength: 512,
  description: 'Visible ASCII characters but " and \\, up to 512',
})

export const scopeList = (description: string) =>
  Type.Array(scope, { maxItems: 100, uniqueItems: true, description })

export const RequestedScopes = scopeList('What each request for a token asks for; none, unless given')

export const requestText = (description: string) =>
  Type.String({ minLength: 1, maxLength: 1024, pattern: textPattern, description })

export const Resources = Type.Array(urlText('Where the tokens are to be used'), {
  maxItems: 10,
  uniqueItems: true,
  description: 'Sent as `resource` (RFC 8707)',
})

export const NewAssertion = Type.Object(
  {
    issuer: Type.Optional(requestText('The `iss` of assertions; the client id unless given')),
    subject: Type.Optional(
      requestText(
        "Whose account the application's own tokens act for, as `sub`; the issuer unless given, or nobody where the provider has it so",
      ),
    ),
    audience: Type.Optional(requestText('The `aud`: what the provider wants, unless given')),
    scope_claim: Type.Optional(
      Type.Boolean({ description: 'Whether the scopes go into the assertion, and not beside it' }),
    ),
  },
  { ...closed, description: 'What the assertions of jwt_bearer say; they are signed with the client_key' },
)
export type NewAssertion = Static<typeof NewAssertion>

export interface Assertion {
  issuer: string
  /** null: none for the application's own tokens. */
  subject: string | null
  audience: string
  scope_claim: boolean
  /** Seconds that an assertion is valid for. */
  lifetime: number
}

export interface TokenRequest {
  scopes: string[]
  audience: string | null
  resource: string[]
  assertion: Assertion | null
}
export const TokenRequest = Type.Unsafe<TokenRequest | null>({
  type: ['object', 'null'],
  properties: {
    scopes: { type: 'array', items: { type: 'string' } },
    audience: { type: ['string', 'null'] },
    resource: { type: 'array', items: { type: 'string' } },
    assertion: {
      type: ['object', 'null'],
      properties: {
        issuer: { type: 'string' },
        subject: { type: ['string', 'null'] },
        audience: { type: 'string' },
        scope_claim: { type: 'boolean' },
        lifetime: { type: 'integer', description: 'Seconds that an assertion is valid for' },
      },
      required: ['issuer', 'subject', 'audience', 'scope_claim', 'lifetime'],
      additionalProperties: false,
    },
  },
  required: ['scopes', 'audience', 'resource', 'assertion'],
  additionalProperties: false,
  description: 'What the vault asks the provider for by itself; null where somebody has to consent',
})
