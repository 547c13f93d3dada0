import Type, { type Static } from 'typebox'
import { callerAddresses, callerFields } from './callers.ts'
import { closed, nullableString, nullableTimestamp, stringEnum, textPattern, timestamp, url } from './common.ts'

const presets = ['github', 'gitlab', 'kubernetes', 'people'] as const
/** Whose tokens they are: it decides what is usual, and which claims have to be bound. */
export const TrustPreset = stringEnum(
  presets,
  'github: jobs of GitHub Actions; gitlab: jobs of GitLab CI/CD; kubernetes: pods, by their service accounts; people: who logs in with an OpenID Connect provider',
)
export type TrustPreset = Static<typeof TrustPreset>

/** No algorithm by which whoever can verify can sign as well, and not `none`. */
export const TrustAlgorithm = stringEnum([
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
])
export type TrustAlgorithm = Static<typeof TrustAlgorithm>

/** As callers are called. */
export const TrustName = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$',
  description: 'Letters, digits, dots, underscores and hyphens, 1 to 63',
})

const text = (maxLength: number, description: string) =>
  Type.String({ minLength: 1, maxLength, pattern: textPattern, description })

const BoundClaim = Type.Object(
  {
    claim: text(
      255,
      'The name of a claim, or a JSON Pointer (RFC 6901) to one inside another, as /kubernetes.io/namespace',
    ),
    values: Type.Array(text(1024, '1 to 1024 characters without control characters'), {
      minItems: 1,
      maxItems: 50,
      uniqueItems: true,
      description:
        'The claim must be one of them, or as an array hold one. Numbers and booleans are compared as JSON writes them. In sub, ref, job_workflow_ref, workflow_ref, ref_path, ci_config_ref_uri and email a * stands for any number of characters.',
    }),
  },
  { ...closed, description: 'What a claim of the token has to be' },
)
export type BoundClaim = Static<typeof BoundClaim>

const claims = Type.Array(BoundClaim, {
  minItems: 1,
  maxItems: 20,
  description: 'What has to hold of the claims of a token, all of it. At least one must say whose token it is.',
})

const audience = Type.Array(text(255, 'An audience'), {
  minItems: 1,
  maxItems: 5,
  uniqueItems: true,
  description: 'A token must be for one of these, and for nobody else',
})

/** A public key as JSON. Members that say more than what the key is and is for are left out when it is stored. */
const PublicKey = Type.Unsafe<Record<string, unknown>>({
  type: 'object',
  required: ['kty'],
  properties: { kty: { type: 'string', enum: ['RSA', 'EC', 'OKP'] } },
  maxProperties: 30,
  additionalProperties: true,
  description: 'A public key (RFC 7517)',
})

const KeySet = Type.Object(
  { keys: Type.Array(PublicKey, { minItems: 1, maxItems: 20 }) },
  { ...closed, description: 'A JSON Web Key Set of public keys, for an issuer that the vault cannot reach' },
)
const nullableKeySet = Type.Unsafe<Static<typeof KeySet> | null>({ ...KeySet, type: ['object', 'null'] })

const Login = Type.Object(
  {
    client_id: text(255, 'The client id of the public OAuth client that people log in with'),
    scopes: Type.Array(text(255, 'A scope'), { minItems: 1, maxItems: 20, uniqueItems: true }),
    vault_url: Type.String({
      ...url,
      description:
        'The URL by which people reach the vault: an ID token must have been obtained for it, and none for another vault is taken',
    }),
  },
  {
    ...closed,
    description: 'How the command line logs people in at the issuer: code flow with PKCE, loopback redirect',
  },
)
const nullableLogin = Type.Unsafe<Static<typeof Login> | null>({ ...Login, type: ['object', 'null'] })

const algorithms = Type.Array(TrustAlgorithm, { minItems: 1, maxItems: 10, uniqueItems: true })
const maxAge = Type.Integer({
  minimum: 60,
  maximum: 86_400,
  description:
    'Seconds after its issue (iat) for which a token is taken, and never after its end (exp): 600 unless given, and 3600 for gitlab and kubernetes',
})
const singleUse = Type.Boolean({
  description:
    'Whether a token is taken once only. Unless given, not for gitlab and kubernetes, whose jobs and pods have one token for long',
})
const keyLifetime = Type.Integer({
  minimum: 60,
  maximum: 43_200,
  description:
    'Seconds that an issued key works: 900 unless given and 3600 at most, for people 28800 unless given and 43200 at most',
})

export const NewTrust = Type.Object(
  {
    name: TrustName,
    preset: Type.Optional(TrustPreset),
    issuer: url,
    audience,
    jwks_uri: Type.Optional(url),
    jwks: Type.Optional(KeySet),
    algorithms: Type.Optional(algorithms),
    claims,
    max_age: Type.Optional(maxAge),
    single_use: Type.Optional(singleUse),
    permissions: callerFields.permissions,
    connections: Type.Optional(callerFields.connections),
    subjects: Type.Optional(callerFields.subjects),
    addresses: Type.Optional(callerAddresses),
    key_lifetime: Type.Optional(keyLifetime),
    expires_at: Type.Optional(timestamp),
    login: Type.Optional(Login),
  },
  closed,
)
export type NewTrust = Static<typeof NewTrust>

export const Trust = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    name: TrustName,
    preset: Type.Unsafe<TrustPreset | null>({ type: ['string', 'null'], enum: [...presets, null] }),
    issuer: Type.String({ description: 'What the iss claim must be, to the letter' }),
    audience,
    jwks_uri: nullableString({
      description: 'Where the keys of the issuer are; null where its metadata says so, and where they are in jwks',
    }),
    jwks: nullableKeySet,
    algorithms,
    claims,
    max_age: maxAge,
    single_use: singleUse,
    permissions: callerFields.permissions,
    connections: callerFields.connections,
    subjects: callerFields.subjects,
    addresses: callerAddresses,
    key_lifetime: keyLifetime,
    login: nullableLogin,
    created_at: timestamp,
    expires_at: nullableTimestamp,
    revoked_at: nullableTimestamp,
    last_used_at: nullableString({ format: 'date-time', description: 'To the hour; null when it was never used' }),
  },
  {
    ...closed,
    description: 'Whose OpenID Connect tokens the vault takes, and what the callers made from them may do',
  },
)
export type Trust = Static<typeof Trust>

export const TrustList = Type.Object({ trusts: Type.Array(Trust), next: nullableString() }, closed)

export const tokenExchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const subjectTokenTypes = [
  'urn:ietf:params:oauth:token-type:jwt',
  'urn:ietf:params:oauth:token-type:id_token',
] as const
export const issuedTokenType = 'urn:ietf:params:oauth:token-type:access_token'

const workspace = Type.String({
  minLength: 1,
  maxLength: 63,
  pattern: '^[a-z0-9-]+$',
  description: 'The name of a workspace; default unless given',
})

export const TokenExchange = Type.Object(
  {
    grant_type: stringEnum([tokenExchangeGrant]),
    subject_token: Type.String({
      minLength: 1,
      maxLength: 16_384,
      description: 'The OpenID Connect token, a signed JWT',
    }),
    subject_token_type: stringEnum(subjectTokenTypes),
    workspace: Type.Optional(workspace),
    trust: Type.Optional(TrustName),
    nonce_secret: Type.Optional(
      Type.String({
        minLength: 43,
        maxLength: 128,
        pattern: '^[A-Za-z0-9_-]+$',
        description:
          'For a trust with login: a random text, of which the nonce of the token is the SHA-256 hash in base64url, with the vault_url of the login behind it (without a slash at its end)',
      }),
    ),
  },
  {
    ...closed,
    description: 'A token exchange (RFC 8693), in JSON. The trust has to be named where the token fits several.',
  },
)
export type TokenExchange = Static<typeof TokenExchange>

export const IssuedKey = Type.Object(
  {
    access_token: Type.String({ description: 'An API key of the vault, shown in this answer only' }),
    issued_token_type: stringEnum([issuedTokenType]),
    token_type: stringEnum(['Bearer']),
    expires_in: Type.Integer({ description: 'Seconds from now' }),
    expires_at: timestamp,
    caller: Type.String({ description: 'The name of the caller whose key it is: trust:NAME' }),
    trust: Type.String({ description: 'The name of the trust it was made by' }),
    workspace: Type.String({ description: 'The name of its workspace' }),
  },
  closed,
)
export type IssuedKey = Static<typeof IssuedKey>

export const loginsQuery = Type.Object({ workspace: Type.Optional(workspace) }, closed)

export const LoginList = Type.Object(
  {
    logins: Type.Array(
      Type.Object(
        {
          trust: Type.String({ description: 'The name of the trust' }),
          issuer: Type.String(),
          client_id: Type.String(),
          scopes: Type.Array(Type.String()),
          vault_url: Type.String({ description: 'The URL by which the vault is to be known to log in' }),
        },
        closed,
      ),
    ),
  },
  { ...closed, description: 'How people can log in to a workspace' },
)
