import type { Operation, Token } from '@authconn/shared'
import { checkNumber } from './check-number.ts'
import type { ConnectionName } from './connection-names.ts'
import type { CallOptions } from './operation-input.ts'

export interface TokenOptions extends CallOptions {
  /** Whose account the token acts for; the application's own unless given. */
  subject?: string | undefined
  /** Seconds that the token must still be valid for. */
  minTtl?: number | undefined
  /** Refreshes although the token is good, unless it was refreshed a moment ago. */
  forceRefresh?: boolean | undefined
  /** The `version` of a token that an API refused with status 401: it is not given again if another can be had. */
  rejectedVersion?: number | undefined
}

export type GetConnectionToken = (name: ConnectionName, options?: TokenOptions) => Promise<Token>

export type TokenQuery = NonNullable<Operation<'getToken'>['query']>

/**
 * What is asked of the vault by the options of a token fetch. The timeout, in milliseconds, is one that somebody chose:
 * left out, the vault waits as long as it finds right. Throws usage.
 */
export function tokenQuery(options: TokenOptions, chosenTimeout: number | undefined): TokenQuery {
  const { subject, minTtl, forceRefresh, rejectedVersion } = options
  const query: TokenQuery = {}
  if (subject !== undefined) query.subject = subject
  if (minTtl !== undefined) query.min_ttl = checkNumber('minTtl', minTtl, { unit: 'seconds', from: 0 })
  if (forceRefresh) query.force_refresh = true
  if (rejectedVersion !== undefined) {
    query.rejected_version = checkNumber('rejectedVersion', rejectedVersion, { from: 0 })
  }
  if (chosenTimeout !== undefined) query.max_wait = waitWithin(chosenTimeout)
  return query
}

/** Whole seconds that leave one for the way back, so that the vault's reason arrives and not only silence. */
function waitWithin(timeout: number): number {
  return Math.min(Math.max(Math.floor(timeout / 1000) - 1, 0), 60)
}
