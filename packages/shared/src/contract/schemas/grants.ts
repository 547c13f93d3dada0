import Type, { type Static } from 'typebox'
import { ConnectionName, closed, nullableString, nullableTimestamp, stringEnum } from './common.ts'

export const GrantStatus = stringEnum(
  ['pending', 'active', 'expired', 'revoked'],
  'pending: never authorized; expired: someone must authorize again',
)
export type GrantStatus = Static<typeof GrantStatus>

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

export const grantState = {
  status: GrantStatus,
  scope: nullableString({ description: 'The granted scope, space-separated (RFC 6749 section 3.3)' }),
  expires_at: nullableTimestamp,
  refreshable: Type.Boolean({ description: 'Whether the vault holds a refresh token' }),
  last_refreshed_at: nullableTimestamp,
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
      description: 'When the access token ends, ISO 8601 UTC; null when the provider set no end',
    }),
    scope: Type.Optional(Type.String()),
    refresh_token: Type.Optional(Type.String({ description: 'Only for callers with refresh_token:read' })),
  },
  closed,
)
export type Token = Static<typeof Token>

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
