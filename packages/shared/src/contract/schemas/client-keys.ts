import Type, { type Static } from 'typebox'
import { closed, stringEnum, textPattern } from './common.ts'

const keyAlgorithm = ['RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const
const pemPattern = '^[\\x20-\\x7e\\r\\n\\t]+$'

export const NewClientKey = Type.Object(
  {
    private_key: Type.String({
      minLength: 1,
      maxLength: 16_384,
      pattern: pemPattern,
      writeOnly: true,
      description: 'A private key in PEM, not encrypted: RSA, EC (P-256, P-384, P-521) or Ed25519',
    }),
    key_id: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 255,
        pattern: textPattern,
        description:
          'The `kid` by which the provider knows the public key; 1 to 255 characters without control characters',
      }),
    ),
    algorithm: Type.Optional(
      stringEnum(keyAlgorithm, 'How assertions are signed; the usual one for the kind of key unless given'),
    ),
    certificate: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 32_768,
        pattern: pemPattern,
        description:
          'The certificate of the key in PEM, its chain after it: for authentication in TLS. With private_key_jwt its thumbprint is sent along (x5t#S256).',
      }),
    ),
  },
  { ...closed, description: 'In the place of a client secret; nobody can read the private key back' },
)
export type NewClientKey = Static<typeof NewClientKey>

export type ClientKey = {
  algorithm: (typeof keyAlgorithm)[number]
  key_id: string | null
  thumbprint: string
  certificate_expires_at: string | null
}
export const ClientKey = Type.Unsafe<ClientKey | null>({
  type: ['object', 'null'],
  properties: {
    algorithm: { type: 'string', enum: [...keyAlgorithm] },
    key_id: { type: ['string', 'null'] },
    thumbprint: { type: 'string', description: 'Of the public key, by RFC 7638 and SHA-256' },
    certificate_expires_at: { type: ['string', 'null'], format: 'date-time' },
  },
  required: ['algorithm', 'key_id', 'thumbprint', 'certificate_expires_at'],
  additionalProperties: false,
  description: 'What may be told of the key of a client that has one; null for a client with a secret',
})
