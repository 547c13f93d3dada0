import { ProviderFailure, type TokenSet } from '../../core/oauth-port.ts'
import { Secret } from '../../core/secret.ts'
import { type AnswerFields, parseAnswerFields } from './answer-fields.ts'
import { atPath } from './json-path.ts'
import { type CallContext, classifyError } from './provider-failure.ts'
import { type CatalogEntry, findCatalogEntry } from './providers.ts'

export interface TokenAnswer {
  tokens: TokenSet
  idToken: string | null
  /** All that was in it. */
  fields: AnswerFields
  /** Empty when the answer says that none was granted; null when it says nothing, and all that were asked for are. */
  grantedScopes: readonly string[] | null
}

/**
 * exchange: an answer that is not as it should be is refused, since asking again costs a click.
 * refresh: a usable access token is kept whatever else is wrong, since the provider may have rotated the refresh
 * token and there is no asking again.
 */
export type AnswerMode = 'exchange' | 'refresh'

/** Takes a token endpoint's answer apart, field by field. Throws ProviderFailure and nothing else. */
export async function readTokenAnswer(
  response: Response,
  mode: AnswerMode,
  context: CallContext,
): Promise<TokenAnswer> {
  const { status, headers } = response
  // An error answer is not taken at its word when it contradicts itself: it could end the grant.
  const repeated = mode === 'refresh' && response.ok ? 'take last' : 'refuse'
  const fields = parseAnswerFields(await response.text(), headers.get('content-type'), repeated)
  const unusable = (reason: string, rotated?: Secret) =>
    new ProviderFailure('unintelligible', `${context.endpoint} answered ${status} with ${reason}`, {
      status,
      outcome: rotated ? 'none' : 'unknown',
      rotated,
    })

  if (typeof fields === 'string') {
    throw response.ok ? unusable(fields) : classifyError({ status, headers }, context)
  }
  const entry = findCatalogEntry(context.provider)
  const habits = entry?.token_answer ?? {}
  const held = tokenFields(fields, habits.token_path)
  const accessToken = readToken(held.get('access_token'))
  const { error, errorDescription } = readError(fields, habits)
  if (!response.ok || isError(error, accessToken, mode)) {
    throw classifyError({ status, headers, error, errorDescription }, context)
  }
  const refreshToken = readSecret(held.get('refresh_token'))
  if (accessToken === null) {
    // A refresh token that came without is kept all the same: the former one may have ended with it.
    throw unusable('no usable access_token', mode === 'refresh' ? (refreshToken ?? undefined) : undefined)
  }
  const tokenType = readTokenType(held.get('token_type'), habits.token_types)
  if (tokenType === undefined && mode === 'exchange') {
    // RFC 6749 section 7.1: a token of a type that is not understood must not be used.
    throw unusable('a token_type other than Bearer')
  }
  const expiresIn = readExpiry(held, habits.expiry)
  const scopes = entry?.scopes
  const grantedScopes = readScopes(held.get('scope'), scopes?.answer_separator ?? scopes?.separator)
  return {
    tokens: {
      accessToken: new Secret(accessToken),
      tokenType: tokenType ?? readTypeName(held.get('token_type')),
      expiresIn,
      expiryAssumed: false,
      refreshToken,
      refreshTokenExpiresIn:
        refreshToken === null && mode === 'exchange' ? null : readRefreshTokenLife(held, context.provider),
      scope: grantedScopes?.join(' ') || null,
    },
    idToken: readToken(fields.get('id_token')),
    fields,
    grantedScopes,
  }
}

type Habits = NonNullable<CatalogEntry['token_answer']>

/** The fields about the tokens: where a provider keeps those of the kind that was asked for in an object, of that one alone. */
function tokenFields(fields: AnswerFields, path: string | undefined): AnswerFields {
  const nested = path === undefined ? undefined : atPath(Object.fromEntries(fields), path)
  const hasToken = typeof nested === 'object' && nested !== null && 'access_token' in nested
  return hasToken ? new Map(Object.entries(nested)) : fields
}

function readError(fields: AnswerFields, habits: Habits): { error: unknown; errorDescription: unknown } {
  const at = (path: string | undefined, usual: string) =>
    (path === undefined ? undefined : atPath(Object.fromEntries(fields), path)) ?? fields.get(usual)
  return {
    error: at(habits.error_path, 'error'),
    errorDescription: at(habits.error_description_path, 'error_description'),
  }
}

/** Some servers say that it went wrong with status 200. A token beside an error counts where it cannot be had again. */
function isError(error: unknown, accessToken: string | null, mode: AnswerMode): boolean {
  return typeof error === 'string' && error !== '' && (accessToken === null || mode === 'exchange')
}

const longestToken = 16 * 1024

/** RFC 6749 appendix A.12 and A.17: visible ASCII. What else is in it would break the header it is sent in. */
function readToken(value: unknown): string | null {
  if (typeof value !== 'string' || value.length > longestToken) return null
  return /^[\x20-\x7e]+$/.test(value) && value.trim() === value ? value : null
}

function readSecret(value: unknown): Secret | null {
  const token = readToken(value)
  return token === null ? null : new Secret(token)
}

/** Missing or meaningless counts as Bearer, the type of all others; undefined is one that is something else. */
function readTokenType(value: unknown, others: readonly string[] = []): 'Bearer' | undefined {
  if (typeof value !== 'string' || value.trim() === '') return 'Bearer'
  return ['bearer', ...others].includes(value.trim().toLowerCase()) ? 'Bearer' : undefined
}

/** As the provider spells it, so that whoever gets the token can tell; it is only kept on a refresh. */
function readTypeName(value: unknown): string {
  return typeof value === 'string' && /^[\x21-\x7e]{1,64}$/.test(value.trim()) ? value.trim() : 'unknown'
}

/** Ten years: beyond it is a mistake, or stands for no end. */
const longestLifetime = 315_360_000

/**
 * Seconds. Null, which is "did not say", for words, for what is no number, and for zero and below: no provider
 * issues a token that is dead already, and taking it at its word would have it refreshed without end.
 */
function readSeconds(value: unknown): number | null {
  const text = typeof value === 'string' && /^\s*\d{1,20}(\.\d*)?\s*$/.test(value)
  const seconds = typeof value === 'number' || text ? Math.floor(Number(value)) : 0
  return seconds > 0 ? Math.min(seconds, longestLifetime) : null
}

/** Seconds until the token ends; null when the provider does not say. */
function readExpiry(fields: AnswerFields, expiry: Habits['expiry']): number | null {
  if (!expiry) return readSeconds(fields.get('expires_in'))
  const date = Date.parse(String(fields.get(expiry.field)))
  return readSeconds((date - Date.now()) / 1000)
}

/** No standard has it; these are the names in use. Else what the provider documents of refresh tokens that lie idle. */
function readRefreshTokenLife(fields: AnswerFields, provider: string | null): number | null {
  return (
    readSeconds(fields.get('refresh_token_expires_in')) ??
    readSeconds(fields.get('x_refresh_token_expires_in')) ??
    readSeconds(fields.get('refresh_expires_in')) ??
    findCatalogEntry(provider)?.refresh_token.idle ??
    null
  )
}

const longestScope = 8 * 1024

/** Scope tokens (RFC 6749 section 3.3), from a string or an array; null when it is neither, or no good. */
function readScopes(value: unknown, separator = ' '): readonly string[] | null {
  const parts = typeof value === 'string' ? value.split(separator) : value
  if (!Array.isArray(parts)) return null
  const scopes: string[] = []
  for (const part of parts) {
    if (typeof part !== 'string') return null
    scopes.push(...part.split(/\s+/).filter((scope) => scope !== ''))
  }
  const joined = scopes.join(' ')
  return /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(joined) && joined.length <= longestScope ? scopes : null
}
