import Type, { type Static } from 'typebox'
import {
  ConnectionName,
  closed,
  nullableString,
  nullableTimestamp,
  Subject,
  stringEnum,
  timestamp,
} from './common.ts'

export const GrantStatus = stringEnum(
  ['pending', 'active', 'expired', 'revoked'],
  'pending: never authorized; expired: someone must authorize again',
)
export type GrantStatus = Static<typeof GrantStatus>

export const FailureClass = stringEnum(
  ['permanent', 'interrupted', 'configuration', 'unrecognized', 'passing'],
  'permanent: the provider ended the authorization; interrupted: it refuses the refresh token after a refresh whose outcome nobody knows; configuration: it refuses the client or what it asks for, and is not asked again until the connection is updated or a refresh is forced; unrecognized: an answer that fits no standard, retried for a bounded time; passing: retried with backoff',
)
export type FailureClass = Static<typeof FailureClass>

const LastError = Type.Unsafe<{ code: string; class: FailureClass; detail: string; at: string } | null>({
  type: ['object', 'null'],
  properties: {
    code: { type: 'string', description: 'One of the error codes of this API' },
    class: FailureClass,
    detail: { type: 'string' },
    at: { type: 'string', format: 'date-time' },
  },
  required: ['code', 'class', 'detail', 'at'],
  additionalProperties: false,
  description: 'Why the last refresh failed; null when it did not',
})

export type Account = Record<'id' | 'email' | 'login' | 'name' | 'company', string | null>
const Account = Type.Unsafe<Account | null>({
  type: ['object', 'null'],
  properties: Object.fromEntries(
    ['id', 'email', 'login', 'name', 'company'].map((field) => [field, { type: ['string', 'null'] }]),
  ),
  required: ['id', 'email', 'login', 'name', 'company'],
  additionalProperties: false,
  description: 'Whose tokens they are, as the provider said after the authorization; null when it did not',
})

export const grantState = {
  status: GrantStatus,
  account: Account,
  metadata: Type.Unsafe<Record<string, string>>({
    type: 'object',
    additionalProperties: { type: 'string' },
    description: "What the provider's API needs besides a token, such as instance_url or realm_id; often empty",
  }),
  scope: nullableString({ description: 'The granted scope, space-separated (RFC 6749 section 3.3)' }),
  expires_at: nullableTimestamp,
  expires_at_assumed: Type.Boolean({
    description: 'Whether the vault assumes that end, as the provider did not say when the access token ends',
  }),
  refreshable: Type.Boolean({
    description:
      'Whether the vault can refresh them: with a refresh token, or by asking for others as the connection itself',
  }),
  refresh_token_expires_at: nullableString({
    format: 'date-time',
    description: 'When the refresh token ends unless it is used, as far as the provider tells; otherwise null',
  }),
  last_refreshed_at: nullableTimestamp,
  next_refresh_at: nullableString({
    format: 'date-time',
    description: 'When the vault refreshes next by itself, ISO 8601, UTC; null when it does not',
  }),
  failures: Type.Integer({ description: 'Refreshes that failed in a row' }),
  last_error: LastError,
}

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
      description:
        'When the access token ends, ISO 8601 UTC; null when it has no end. Assumed where the provider does not say.',
    }),
    version: Type.Integer({
      description:
        'Changes with the access token. Give it as `rejected_version` when an API refused this token with status 401.',
    }),
    scope: Type.Optional(Type.String()),
    refresh_token: Type.Optional(Type.String({ description: 'Only for callers with refresh_token:read' })),
  },
  closed,
)
export type Token = Static<typeof Token>

export const EventType = stringEnum(
  [
    'grant.refreshed',
    'grant.refresh_failed',
    'grant.recovered',
    'grant.expired',
    'grant.revoked',
    'grant.reopened',
  ],
  'One for each change: the first of several failures in a row, and not each of them',
)
export type EventType = Static<typeof EventType>

export const Event = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    type: EventType,
    connection: ConnectionName,
    subject: nullableString({ description: 'null for the application itself' }),
    at: timestamp,
    code: nullableString({ description: 'One of the error codes of this API, where something failed' }),
    class: Type.Unsafe<FailureClass | null>({ type: ['string', 'null'], description: 'The class of the failure' }),
    detail: nullableString(),
  },
  { ...closed, description: 'A change in the life of a grant' },
)
export type Event = Static<typeof Event>

export const NewGrant = Type.Object({ subject: Type.Optional(Subject) }, closed)

export const EventList = Type.Object({ events: Type.Array(Event), next: nullableString() }, closed)

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
