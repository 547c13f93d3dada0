import type { EditKind } from '../fault-kind.ts'
import { editTokens, without } from './edit-json.ts'

/** Token answers that break RFC 6749 section 5.1 as real providers do. The tokens in them are good. */
export const tokenKinds = {
  no_expires_in: tokenKind('Leaves out expires_in', (tokens) => without(tokens, 'expires_in')),
  expires_in_string: tokenKind('Sends expires_in as a string of digits', (tokens) => ({
    ...tokens,
    expires_in: String(tokens.expires_in),
  })),
  expires_in_null: tokenKind('Sends null as expires_in', (tokens) => ({ ...tokens, expires_in: null })),
  expires_in_negative: tokenKind('Sends -1 as expires_in', (tokens) => ({ ...tokens, expires_in: -1 })),
  expires_in_words: tokenKind('Sends "one hour" as expires_in', (tokens) => ({
    ...tokens,
    expires_in: 'one hour',
  })),
  expires_in_huge: tokenKind('Sends 10^18 as expires_in', (tokens) => ({ ...tokens, expires_in: 1e18 })),
  no_token_type: tokenKind('Leaves out token_type', (tokens) => without(tokens, 'token_type')),
  odd_token_type: tokenKind('Sends "bot" as token_type', (tokens) => ({ ...tokens, token_type: 'bot' })),
  scope_array: tokenKind('Sends scope as a list', (tokens) => ({
    ...tokens,
    scope: String(tokens.scope ?? '').split(' '),
  })),
  empty_refresh_token: tokenKind('Sends an empty refresh_token', (tokens) => ({ ...tokens, refresh_token: '' })),
  null_refresh_token: tokenKind('Sends null as refresh_token', (tokens) => ({ ...tokens, refresh_token: null })),
  numeric_refresh_token: tokenKind('Sends a number as refresh_token', (tokens) => ({
    ...tokens,
    refresh_token: 1234567890,
  })),
  no_refresh_token: tokenKind('Leaves out refresh_token', (tokens) => without(tokens, 'refresh_token')),
  extra_fields: tokenKind('Adds members that no standard knows', (tokens) => ({
    ...tokens,
    ok: true,
    team: { id: 'T1', name: 'Example' },
    x_refresh_token_expires_in: 8_726_400,
  })),
  control_characters: tokenKind('Puts a line break and a NUL into access_token', (tokens) => ({
    ...tokens,
    access_token: `${tokens.access_token}\r\nx-injected: 1\u0000`,
  })),
  token_in_error: {
    about: 'Sends the tokens beside an error (invalid_grant by default), under status 400',
    endpoints: ['token'],
    options: ['error'],
    edit(answer, exchange) {
      const edited = editTokens((tokens) => ({ error: exchange.options.error ?? 'invalid_grant', ...tokens }))(
        answer,
        exchange,
      )
      return edited && { ...edited, status: 400 }
    },
  },
  form_encoded: {
    about: 'Sends the token answer form-encoded, as application/x-www-form-urlencoded',
    endpoints: ['token'],
    options: [],
    edit(answer, exchange) {
      const tokens = editTokens((json) => json)(answer, exchange)
      if (!tokens) return undefined
      const form = new URLSearchParams()
      for (const [name, value] of Object.entries(JSON.parse(tokens.body) as object)) form.set(name, String(value))
      return {
        ...answer,
        headers: { ...answer.headers, 'content-type': 'application/x-www-form-urlencoded' },
        body: form.toString(),
      }
    },
  },
} as const satisfies Record<string, EditKind>

function tokenKind(about: string, change: Parameters<typeof editTokens>[0]): EditKind {
  return { about, endpoints: ['token'], options: [], edit: editTokens(change) }
}
