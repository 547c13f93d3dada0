import type { Token } from '@authconn/shared'
import { errorTable } from '@authconn/shared/errors'
import { AuthconnError } from './authconn-error.ts'
import { createHeldTokens, type Moments } from './held-tokens.ts'
import type { CallOptions } from './operation-input.ts'
import { retryPassing } from './retry-passing.ts'
import { createSharedCalls } from './shared-calls.ts'
import { type GetConnectionToken, type TokenOptions, type TokenQuery, tokenQuery } from './token-query.ts'

export interface TokenSettings {
  /** Milliseconds for a fetch with its retries. */
  timeout: number
  /** The same where somebody chose it. */
  chosenTimeout: number | undefined
  retries: number
  /** Seconds. */
  reuseFor: number
}

/** Asks the vault once. Throws AuthconnError. */
export type AskForToken = (
  name: string,
  query: TokenQuery,
  options: CallOptions,
) => Promise<{ token: Token } & Moments>

/** The token fetch of a client: what it holds is given again, who asks the same shares, what fails in passing is retried. */
export function createGetToken(ask: AskForToken, settings: TokenSettings): GetConnectionToken {
  const held = createHeldTokens(settings.reuseFor)
  const share = createSharedCalls<Token>()

  return async function getConnectionToken(name, asked = {}) {
    const { subject, minTtl, rejectedVersion, requestId, signal } = asked
    const chosen = asked.timeout ?? settings.chosenTimeout
    const query = tokenQuery(asked, chosen)
    signal?.throwIfAborted()

    const key = JSON.stringify([name, subject ?? null])
    if (rejectedVersion !== undefined) held.drop(key, rejectedVersion)
    const known = mayReuse(asked) ? held.find(key, minTtl) : undefined
    if (known !== undefined) return { ...known }

    const timeout = asked.timeout ?? settings.timeout
    const fetchToken = (shared: AbortSignal | undefined) =>
      retryPassing((left) => fetchOnce(key, name, query, { signal: shared, timeout: left, requestId }), {
        retries: settings.retries,
        timeout,
        signal: shared,
      })
    // Whoever wants to find its request in the log has one of its own.
    if (requestId !== undefined) return fetchToken(signal)
    return { ...(await share(JSON.stringify([name, query, timeout]), signal, fetchToken)) }
  }

  async function fetchOnce(key: string, name: string, query: TokenQuery, options: CallOptions): Promise<Token> {
    try {
      const { token, ...moments } = await ask(name, query, options)
      held.keep(key, token, moments)
      return token
    } catch (error) {
      // The vault has said that there is nothing to be had, which goes for what is held, too.
      if (error instanceof AuthconnError && isFinal(error)) held.drop(key)
      throw error
    }
  }
}

function mayReuse({ forceRefresh, requestId }: TokenOptions): boolean {
  return forceRefresh !== true && requestId === undefined
}

function isFinal({ code }: AuthconnError): boolean {
  return errorTable[code].kind !== 'unavailable' && code !== 'min_ttl_unreachable'
}
