import { AuthconnError, type Token } from '@authconn/sdk'
import { toJson } from '../output/to-json.ts'

export const tokenFormats = ['raw', 'json', 'env', 'header', 'netrc'] as const

export type TokenFormat = (typeof tokenFormats)[number]

/** What some of the formats need besides the token. */
export interface FormatDetails {
  variable: string
  host: string
  login: string
}

/** The token as other programs take it, without a line break at its end. Throws provider_answer_invalid where it cannot be. */
export function formatToken(token: Token, format: TokenFormat, details: FormatDetails): string {
  switch (format) {
    case 'raw':
      return token.access_token
    case 'json':
      return toJson(token)
    case 'env':
      return `${details.variable}=${shellWord(token.access_token)}`
    case 'header':
      return `Authorization: ${checked(`${token.token_type} ${token.access_token}`, /^[\x21-\x7e]+ [\x21-\x7e]+$/, 'a header')}`
    case 'netrc':
      // Programs do not agree on how these are quoted.
      return `machine ${details.host} login ${details.login} password ${checked(token.access_token, /^[^#\s"'\\][^\s"'\\]*$/, 'a netrc file')}`
  }
}

/** `google-oauth` → `GOOGLE_OAUTH_ACCESS_TOKEN` */
export function variableOf(name: string): string {
  const words = name.toUpperCase().replace(/[^A-Z0-9]+/g, '_')
  return `${/^\d/.test(words) ? '_' : ''}${words}_ACCESS_TOKEN`
}

/** As it is where that is plain to shells and to those who read such lines without one. */
function shellWord(value: string): string {
  if (/^[\w.+/=:@%,-][\w.~+/=:@%,-]*$/.test(value)) return value
  return `'${checked(value, /^[\x20-\x7e]+$/, 'a line').replaceAll("'", `'\\''`)}'`
}

function checked(value: string, shape: RegExp, place: string): string {
  if (shape.test(value)) return value
  throw new AuthconnError(
    'provider_answer_invalid',
    `The access token has characters that do not fit in ${place}.`,
  )
}
