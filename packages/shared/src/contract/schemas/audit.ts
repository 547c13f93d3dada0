import Type, { type Static } from 'typebox'
import { closed, nullableString, stringEnum, timestamp } from './common.ts'

export const AuditOutcome = stringEnum(
  ['allowed', 'denied', 'failed'],
  'allowed: it was done, or for a token, answered; denied: the caller may not; failed: it may, and it did not work',
)
export type AuditOutcome = Static<typeof AuditOutcome>

export const AuditRecord = Type.Object(
  {
    id: Type.String({ description: 'Stream and number in it: STREAM:NUMBER' }),
    at: timestamp,
    actor: nullableString({ description: 'Id of the caller; null where the key was none' }),
    actor_name: nullableString(),
    action: Type.String({ description: 'Name of the operation of this API' }),
    connection: nullableString(),
    target: nullableString({
      description: 'What else it is about: a caller, a workspace or an authorization, by id or name',
    }),
    subject: nullableString({ description: 'null for the application itself, and where there is none' }),
    outcome: AuditOutcome,
    reason: nullableString({ description: 'Error code, where it was not allowed or did not work' }),
    address: nullableString({ description: 'Where the request came from' }),
    detail: Type.Unsafe<Record<string, string> | null>({
      type: ['object', 'null'],
      additionalProperties: { type: 'string' },
      description:
        'Of the exchange of a token: its trust, issuer and sub, its jti, run and job where it names them, and why it was refused',
    }),
    request_id: Type.String(),
  },
  { ...closed, description: 'One decision of the vault' },
)
export type AuditRecord = Static<typeof AuditRecord>

export const AuditList = Type.Object({ records: Type.Array(AuditRecord), next: nullableString() }, closed)

export const AuditHead = Type.String({
  pattern: '^[0-9]{1,18}:[0-9a-f]{64}$',
  description: 'The newest checkpoint as a former verification told it: NUMBER:MAC',
})

export const AuditCheck = Type.Object({ head: Type.Optional(AuditHead) }, closed)
export type AuditCheck = Static<typeof AuditCheck>

export const AuditReport = Type.Object(
  {
    intact: Type.Boolean(),
    records: Type.Integer({ description: 'Records that were verified' }),
    checkpoints: Type.Integer(),
    problems: Type.Array(
      Type.Object(
        {
          kind: stringEnum(
            ['changed', 'missing', 'tail_missing', 'unknown', 'checkpoint_changed', 'checkpoint_missing'],
            'changed: a record is not as it was written; missing: records are gone from the middle of a stream; tail_missing: from its end; unknown: a record that no vault wrote there; checkpoint_…: the same of the signed checkpoints',
          ),
          record: nullableString({ description: 'STREAM:NUMBER of the record, or the number of the checkpoint' }),
          detail: Type.String(),
        },
        closed,
      ),
      { description: 'The first 100' },
    ),
    head: nullableString({
      description: 'The newest checkpoint, NUMBER:MAC. Keep it elsewhere and give it to a later verification.',
    }),
  },
  { ...closed, description: 'What a verification of the whole audit log found' },
)
export type AuditReport = Static<typeof AuditReport>
