import { AuthconnError } from '../errors.ts'
import { ProviderFailure } from '../oauth-port.ts'
import { toAuthconnError } from './provider-errors.ts'

/** Seconds that `slow_down` adds, once and for all (RFC 8628 section 3.5). */
const slower = 5
/** No pause grows beyond it by failures that pass: the person is there, and the code has its end. */
const longestPause = 60

/**
 * What to make of a question for the outcome of a device authorization that gave no tokens: ask again at that interval, or
 * give up with that error. From values alone.
 */
export function judgePoll(error: unknown, interval: number): { askAgain: number } | { giveUp: unknown } {
  // The key service comes back like a provider does.
  if (error instanceof AuthconnError && error.code === 'kms_unavailable') return { askAgain: interval }
  if (!(error instanceof ProviderFailure)) return { giveUp: error }
  const over = (detail: string) => ({ giveUp: new AuthconnError('authorization_over', detail, { cause: error }) })
  switch (error.oauthError) {
    case 'authorization_pending':
      return { askAgain: interval }
    case 'slow_down':
      return { askAgain: interval + slower }
    case 'access_denied':
    // Microsoft's name for it.
    case 'authorization_declined':
      return { giveUp: new AuthconnError('authorization_denied', error.message, { cause: error }) }
    case 'expired_token':
    case 'code_expired':
      return over('Nobody entered the code at the provider in time')
  }
  // The provider is asked less often when it does not answer (section 3.5).
  if (error.kind === 'passing') {
    return { askAgain: Math.max(interval, Math.min(longestPause, error.retryAfter ?? interval * 2)) }
  }
  if (error.kind === 'invalid_grant')
    return over(`The provider does not know the device code any more: ${error.message}`)
  return { giveUp: toAuthconnError(error) }
}
