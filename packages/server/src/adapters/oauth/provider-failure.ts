import { ProviderFailure, type ProviderFailureKind } from '../../core/oauth-port.ts'
import type { Secret } from '../../core/secret.ts'
import { printable, printableCode } from './provider-text.ts'
import { findCatalogEntry } from './providers.ts'

interface ErrorAnswer {
  status: number
  headers: Headers
  /** The fields of the body, as far as it had any. */
  error?: unknown
  errorDescription?: unknown
}

export interface CallContext {
  /** The endpoint without its query, for messages. */
  endpoint: string
  /** Id in the catalog, for its own error codes. */
  provider: string | null
  /** What was sent: never repeated, not even when the provider does. */
  secrets: readonly Secret[]
}

/** What an error answer of a token or revocation endpoint means. Keeps nothing of the answer but bounded text. */
export function classifyError(answer: ErrorAnswer, context: CallContext): ProviderFailure {
  const code = printableCode(answer.error, context.secrets)
  const description = printable(answer.errorDescription, context.secrets)
  const said = [code, description].filter(Boolean).join(': ')
  const kind = kindOf(answer.status, code, context.provider)
  return new ProviderFailure(
    kind,
    `${context.endpoint} answered ${answer.status}${said ? ` ${said}` : ' without an OAuth error'}`,
    {
      status: answer.status,
      oauthError: code,
      retryAfter: kind === 'passing' ? parseRetryAfter(answer.headers.get('retry-after')) : undefined,
      // A gateway may have lost the answer of a server that did its work.
      outcome: answer.status >= 500 || answer.status === 408 ? 'unknown' : 'none',
    },
  )
}

function kindOf(status: number, code: string | undefined, provider: string | null): ProviderFailureKind {
  // The status goes first: a gateway that is failing may say anything, and a grant must not die of it.
  if (status === 408 || status === 429 || status >= 500) return 'passing'
  const known = code && (findCatalogEntry(provider)?.errors?.[code] ?? standardKinds.get(code))
  return known || statusKinds.get(status) || (status < 400 ? 'unintelligible' : 'unrecognized')
}

/** RFC 6749 section 5.2; some servers answer with codes of section 4.1.2.1 and RFC 8628 section 3.5 as well. */
const standardKinds: ReadonlyMap<string, ProviderFailureKind> = new Map([
  ['invalid_grant', 'invalid_grant'],
  ['invalid_client', 'client'],
  ['unauthorized_client', 'client'],
  ['unsupported_grant_type', 'client'],
  ['temporarily_unavailable', 'passing'],
  ['server_error', 'passing'],
  ['slow_down', 'passing'],
])

/**
 * What a status says where no code is known. 401 is what a refused client gets (RFC 6749 section 5.2); an endpoint that is
 * not there, or not that way, says nothing of a grant.
 */
const statusKinds: ReadonlyMap<number, ProviderFailureKind> = new Map([
  [401, 'client'],
  [404, 'unintelligible'],
  [405, 'unintelligible'],
  [410, 'unintelligible'],
])

/** No provider gets to put a grant aside for longer than this. */
const longestRetryAfter = 3600

/** Seconds, from either form of Retry-After (RFC 9110 section 10.2.3). */
export function parseRetryAfter(value: string | null, now = Date.now()): number | undefined {
  if (value === null) return undefined
  const seconds = /^\d{1,10}$/.test(value.trim()) ? Number(value) : Math.ceil((Date.parse(value) - now) / 1000)
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 1), longestRetryAfter)
}
