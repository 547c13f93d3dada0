import type { ErrorCode } from '@authconn/shared/errors'
import { AuthconnError } from '../errors.ts'
import { ProviderFailure, type ProviderFailureKind } from '../oauth-port.ts'

const codes: Record<ProviderFailureKind, ErrorCode> = {
  denied: 'authorization_denied',
  invalid_grant: 'grant_expired',
  client: 'client_rejected',
  address: 'provider_address_refused',
  host: 'provider_host_not_allowed',
  issuer: 'issuer_mismatch',
  id_token: 'id_token_invalid',
  callback: 'callback_invalid',
  passing: 'provider_unavailable',
  unsupported: 'provider_answer_invalid',
  unrecognized: 'provider_answer_invalid',
  unintelligible: 'provider_answer_invalid',
}

/** The vault's error for a provider's failure; anything else comes back as it is. */
export function toAuthconnError(error: ProviderFailure, overrides?: Partial<typeof codes>): AuthconnError
export function toAuthconnError(error: unknown, overrides?: Partial<typeof codes>): unknown
export function toAuthconnError(error: unknown, overrides: Partial<typeof codes> = {}): unknown {
  if (!(error instanceof ProviderFailure)) return error
  const code = overrides[error.kind] ?? codes[error.kind]
  const retryAfter = error.retryAfter ?? (error.kind === 'passing' ? 5 : undefined)
  return new AuthconnError(code, error.message, {
    cause: error,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  })
}
