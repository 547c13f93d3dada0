import { toAuthconnError } from '../connections/provider-errors.ts'
import { AuthconnError } from '../errors.ts'
import type { Failure, Grant, RefreshFailure } from '../grant-port.ts'
import { ProviderFailure } from '../oauth-port.ts'
import { backoff, slowBackoff } from './backoff.ts'

/** Answers that fit no standard before the grant is given up: with the pauses between them, two to four hours. */
const mostUnrecognized = 10

/** Seconds before another try of what the vault itself failed at, such as a sealed value that does not open. */
const ownFailurePause = 300

type Verdict = Omit<RefreshFailure, 'rotated'>

/**
 * What a refresh that failed means for its grant, from values alone.
 * `interruptedAt`: when an attempt before this one, with no success since, ended without anyone seeing its outcome.
 * `clientAsOf`: when the client that was used was last changed.
 */
export function judgeFailure(
  error: unknown,
  grant: Pick<Grant, 'failureCount' | 'unrecognizedCount' | 'renewable'>,
  attempt: { interruptedAt: Date | null; clientAsOf: Date },
  random?: () => number,
): Verdict {
  if (!(error instanceof ProviderFailure)) return retry(ownFailure(error), ownPause(error, grant, random))
  const { code, message } = toAuthconnError(error)
  const { interruptedAt, clientAsOf } = attempt
  const refused = (failure: Failure): Verdict => ({ ...retry(failure, null), blocked: { clientAsOf } })
  if (grant.renewable && refusesRequest(error)) {
    return refused({ code: 'token_request_rejected', class: 'configuration', detail: message })
  }
  switch (error.kind) {
    case 'invalid_grant':
      return interruptedAt
        ? over({ code, class: 'interrupted', detail: afterInterruption(message, interruptedAt) })
        : over({ code, class: 'permanent', detail: message })
    case 'client':
      return refused({ code, class: 'configuration', detail: message })
    case 'unrecognized': {
      const answers = grant.unrecognizedCount + 1
      // Nothing was granted that could have ended: asking again is all there is to do.
      if (answers < mostUnrecognized || grant.renewable) {
        const failure: Failure = { code, class: 'unrecognized', detail: message }
        return { ...retry(failure, slowBackoff(grant.unrecognizedCount, random)), unrecognized: true }
      }
      const detail = `${message}. It answered like that ${answers} times since the last success, which is taken as its last word`
      return { ...over({ code: 'grant_expired', class: 'unrecognized', detail }), unrecognized: true }
    }
    default: {
      const pause = backoff(grant.failureCount, error.retryAfter, random)
      const failure: Failure = { code, class: 'passing', detail: message }
      return { ...retry(failure, pause), outcomeUnknown: error.outcome === 'unknown' }
    }
  }
}

/**
 * Whether the provider refuses what a client asks for by itself, which only somebody who changes something there, or at the
 * connection, can mend: the assertion (RFC 7521 section 4.1.1), the scope, or the resource (RFC 8707 section 2).
 */
function refusesRequest({ kind, oauthError = '' }: ProviderFailure): boolean {
  if (kind === 'invalid_grant') return true
  return (kind === 'unrecognized' || kind === 'client') && requestErrors.has(oauthError)
}

const requestErrors: ReadonlySet<string> = new Set([
  'invalid_scope',
  'invalid_target',
  'unauthorized_client',
  'unsupported_grant_type',
  'access_denied',
  'consent_required',
])

function retry(error: Failure, retryIn: number | null): Verdict {
  return { error, status: 'active', retryIn, blocked: null, unrecognized: false, outcomeUnknown: false }
}

function over(error: Failure): Verdict {
  return { ...retry(error, null), status: 'expired' }
}

/** A key service comes back like a provider does; the rest waits for somebody to mend it. */
function ownPause(error: unknown, { failureCount }: Pick<Grant, 'failureCount'>, random?: () => number): number {
  if (!(error instanceof AuthconnError && error.code === 'kms_unavailable')) return ownFailurePause
  return backoff(failureCount, error.retryAfter, random)
}

function ownFailure(error: unknown): Failure {
  const { code, message } = error instanceof AuthconnError ? error : new AuthconnError('internal_error')
  return { code, class: 'passing', detail: message }
}

function afterInterruption(message: string, interruptedAt: Date): string {
  return `${message}. Interrupted refresh: an attempt at ${interruptedAt.toISOString()} ended before its outcome was known, and the provider may have replaced the refresh token with it`
}
