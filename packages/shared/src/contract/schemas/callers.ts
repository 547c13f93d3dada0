import Type, { type Static } from 'typebox'
import { permissionNames } from '../../permissions.ts'
import { closed, nullableString, nullableTimestamp, stringEnum, textPattern, timestamp } from './common.ts'

export const PermissionName = stringEnum(permissionNames)

/** What callers and trusts have in common. */
export const callerFields = {
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

export const callerAddresses = Type.Unsafe<string[] | null>({
  type: ['array', 'null'],
  items: {
    type: 'string',
    maxLength: 50,
    pattern: '^[0-9a-fA-F.:]{2,45}(?:/[0-9]{1,3})?$',
    description: 'An IP address, or a range as 10.0.0.0/8 or 2001:db8::/32',
  },
  minItems: 1,
  maxItems: 50,
  description: 'Where it may call from: addresses and CIDR ranges; null for anywhere',
})

export const NewCaller = Type.Object(
  {
    name: callerFields.name,
    permissions: callerFields.permissions,
    connections: Type.Optional(callerFields.connections),
    subjects: Type.Optional(callerFields.subjects),
    addresses: Type.Optional(callerAddresses),
    expires_at: Type.Optional(timestamp),
  },
  closed,
)
export type NewCaller = Static<typeof NewCaller>

const callerState = {
  id: Type.String({ format: 'uuid' }),
  ...callerFields,
  name: Type.String({ description: 'trust:NAME for one that was made by the trust NAME from a token' }),
  addresses: callerAddresses,
  created_at: timestamp,
  expires_at: nullableTimestamp,
  revoked_at: nullableTimestamp,
  last_used_at: nullableString({ format: 'date-time', description: 'To the hour; null when it was never used' }),
  former_key_until: nullableString({
    format: 'date-time',
    description: 'Until when the API key before the last rotation still works; null when it does not',
  }),
  trust: nullableString({ description: 'The name of the trust it was made by; null for others' }),
  identity: nullableString({ description: 'The sub claim of the token it was made from; null for others' }),
}

export const Caller = Type.Object(callerState, closed)
export type Caller = Static<typeof Caller>

export const CreatedCaller = Type.Object(
  { ...callerState, api_key: Type.String({ description: 'Shown this once; the vault keeps only its hash' }) },
  closed,
)
export type CreatedCaller = Static<typeof CreatedCaller>

export const CallerRotation = Type.Object(
  {
    overlap: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 2_592_000,
        description: 'Seconds for which the former key still works; a day unless given, 0 to end it at once',
      }),
    ),
  },
  closed,
)
export type CallerRotation = Static<typeof CallerRotation>

export const CallerList = Type.Object({ callers: Type.Array(Caller), next: nullableString() }, closed)
