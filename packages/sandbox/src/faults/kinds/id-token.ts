import { decodeClaims } from '../../provider/signing-key.ts'
import type { EditKind, Exchange } from '../fault-kind.ts'
import { editTokens, without } from './edit-json.ts'

/** ID tokens that a client must refuse (OpenID Connect Core section 3.1.3.7). Answers without one stay as they are. */
export const idTokenKinds = {
  wrong_id_token_signature: idTokenKind('Signs the ID token with a key that is not published', (claims, { key }) =>
    key.forge(claims),
  ),
  unsigned_id_token: idTokenKind('Sends the ID token with "alg": "none" and no signature', (claims) => {
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    return `${encode({ alg: 'none' })}.${encode(claims)}.`
  }),
  wrong_nonce: idTokenKind('Signs an ID token with another nonce', (claims, { key }) =>
    key.sign({ ...claims, nonce: 'another-nonce' }),
  ),
  wrong_audience: idTokenKind('Signs an ID token for another client', (claims, { key }) =>
    key.sign({ ...claims, aud: 'another-client' }),
  ),
  wrong_id_token_issuer: idTokenKind('Signs an ID token of another issuer', (claims, { key }) =>
    key.sign({ ...claims, iss: 'https://issuer.example' }),
  ),
  expired_id_token: idTokenKind('Signs an ID token that expired an hour ago', (claims, { key }) => {
    const now = Math.floor(Date.now() / 1000)
    return key.sign({ ...claims, iat: now - 7200, exp: now - 3600 })
  }),
  no_id_token: {
    about: 'Leaves out id_token',
    endpoints: ['token'],
    options: [],
    edit: editTokens((tokens) => ('id_token' in tokens ? without(tokens, 'id_token') : undefined)),
  },
} as const satisfies Record<string, EditKind>

function idTokenKind(
  about: string,
  replace: (claims: Record<string, unknown>, exchange: Exchange) => string,
): EditKind {
  return {
    about,
    endpoints: ['token'],
    options: [],
    edit: editTokens((tokens, exchange) => {
      if (typeof tokens.id_token !== 'string') return undefined
      return { ...tokens, id_token: replace(decodeClaims(tokens.id_token), exchange) }
    }),
  }
}
