import Type, { type Static } from 'typebox'
import { permissionNames } from '../../permissions.ts'
import { closed, nullableString, nullableTimestamp, stringEnum, textPattern, timestamp } from './common.ts'

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
