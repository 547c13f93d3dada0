import Type, { type Static } from 'typebox'
import { errorCodes } from '../../errors.ts'
import { closed, stringEnum } from './common.ts'

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
